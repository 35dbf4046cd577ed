//! The attributes that Identity Center takes over SCIM: one table for users, one for groups.
//!
//! Source: AWS SCIM Developer Guide, "CreateUser", "PatchUser", "CreateGroup" and "Limitations".
//! What is not in these tables is refused, even as an empty array (goauthentik/authentik #5640).

/// URN of the core user schema, RFC 7643 section 4.1.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// URN of the enterprise extension, RFC 7643 section 4.3; as a key it holds the extension's
/// attributes.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// URN of the core group schema, RFC 7643 section 4.2.
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Which lengths and characters a text may have; see [`super::validate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// 1 to 128 characters, no white space, not a reserved name.
    UserName,
    /// 1 to 256 characters, no white space.
    ExternalId,
    /// 1 to 1,024 characters.
    General,
    /// As general, and not a reserved name.
    GroupName,
    /// 1 to 47 characters: the length of the older AWS id.
    Id,
    /// `User` and nothing else: groups don't nest.
    MemberType,
}

/// What kind of value an attribute holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text(Rule),
    Boolean,
    /// An object with these sub-attributes.
    Complex(&'static [Attribute]),
    /// A list of at most one object with these sub-attributes.
    SingleItemList(&'static [Attribute]),
}

/// One attribute of a resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    /// The name as answered; it is found whatever its letter case (RFC 7643 section 2.1).
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// Whether PATCH may touch it. `roles` is not in PatchUser's list of modifiable attributes.
    pub(super) patchable: bool,
}

impl Attribute {
    const fn text(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            shape: Shape::Text(rule),
            required: false,
            patchable: true,
        }
    }

    const fn general(name: &'static str) -> Self {
        Self::text(name, Rule::General)
    }

    const fn boolean(name: &'static str) -> Self {
        Self {
            name,
            shape: Shape::Boolean,
            required: false,
            patchable: true,
        }
    }

    const fn complex(name: &'static str, attributes: &'static [Attribute]) -> Self {
        Self {
            name,
            shape: Shape::Complex(attributes),
            required: false,
            patchable: true,
        }
    }

    const fn list(name: &'static str, attributes: &'static [Attribute]) -> Self {
        Self {
            name,
            shape: Shape::SingleItemList(attributes),
            required: false,
            patchable: true,
        }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn not_patchable(self) -> Self {
        Self {
            patchable: false,
            ..self
        }
    }

    /// The sub-attributes, none for a simple attribute.
    pub(super) fn sub_attributes(&self) -> &'static [Attribute] {
        match self.shape {
            Shape::Text(_) | Shape::Boolean => &[],
            Shape::Complex(attributes) | Shape::SingleItemList(attributes) => attributes,
        }
    }
}

/// Everything a user may have, besides `id`, `schemas` and `meta`.
pub(super) const USER_ATTRIBUTES: &[Attribute] = &[
    Attribute::text("externalId", Rule::ExternalId),
    Attribute::text("userName", Rule::UserName).required(),
    Attribute::complex("name", NAME).required(),
    Attribute::general("displayName").required(),
    Attribute::general("nickName"),
    Attribute::general("profileUrl"),
    Attribute::list("emails", VALUED),
    Attribute::list("addresses", ADDRESS),
    Attribute::list("phoneNumbers", VALUED),
    Attribute::general("userType"),
    Attribute::general("title"),
    Attribute::general("preferredLanguage"),
    Attribute::general("locale"),
    Attribute::general("timezone"),
    Attribute::boolean("active"),
    Attribute::list("roles", VALUED).not_patchable(),
    Attribute::complex(ENTERPRISE, ENTERPRISE_ATTRIBUTES),
];

/// Everything a group may have besides its members, `id`, `schemas` and `meta`.
pub(super) const GROUP_ATTRIBUTES: &[Attribute] = &[
    Attribute::text("displayName", Rule::GroupName).required(),
    Attribute::text("externalId", Rule::ExternalId),
];

const NAME: &[Attribute] = &[
    Attribute::general("formatted"),
    Attribute::general("familyName").required(),
    Attribute::general("givenName").required(),
    Attribute::general("middleName"),
    Attribute::general("honorificPrefix"),
    Attribute::general("honorificSuffix"),
];

const VALUED: &[Attribute] = &[
    Attribute::general("value").required(),
    Attribute::general("type"),
    Attribute::boolean("primary"),
];

const ADDRESS: &[Attribute] = &[
    Attribute::general("formatted"),
    Attribute::general("streetAddress"),
    Attribute::general("locality"),
    Attribute::general("region"),
    Attribute::general("postalCode"),
    Attribute::general("country"),
    Attribute::general("type"),
    Attribute::boolean("primary"),
];

const ENTERPRISE_ATTRIBUTES: &[Attribute] = &[
    Attribute::general("employeeNumber"),
    Attribute::general("costCenter"),
    Attribute::general("organization"),
    Attribute::general("division"),
    Attribute::general("department"),
    Attribute::complex("manager", MANAGER),
];

const MANAGER: &[Attribute] = &[
    Attribute::text("value", Rule::Id).required(),
    Attribute::general("$ref"),
];

/// One element of a group's `members`. `display` is not taken.
pub(super) const MEMBER_ATTRIBUTES: &[Attribute] = &[
    Attribute::text("value", Rule::Id).required(),
    Attribute::text("type", Rule::MemberType),
    Attribute::general("$ref"),
];

/// Finds an attribute by its name in any letter case.
pub(super) fn find_attribute(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
