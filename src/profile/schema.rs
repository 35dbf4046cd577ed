//! What the OpenAPI document says of the two documents: their known fields by name, for readers and
//! for generators of clients, and that others are taken too.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, SchemaType, Type},
    },
};

use super::{GroupProfile, UserProfile};

/// The names of the schemas of the known fields.
const PERSON: &str = "UserProfileFields";
const GROUP: &str = "GroupProfileFields";

/// The fields of a person that hold text: those of the built-in mapping, and the directory's id.
const PERSON_TEXTS: [(&str, &str); 15] = [
    (
        "id",
        "The app user's id in the directory (`IAM.Vendor.id`), to find it by; never written.",
    ),
    ("username", "The user name (userName); finds the app user."),
    ("email", "The primary work e-mail."),
    ("givenname", "The given name (name.givenName)."),
    ("surname", "The family name (name.familyName)."),
    ("displayname", "The name as it is shown (displayName)."),
    (
        "employeeid",
        "The employee id (externalId); finds the app user, also under a new user name.",
    ),
    ("mobilephone", "The work phone."),
    ("title", "The job title."),
    ("employeetype", "The kind of employment (userType)."),
    ("employeenumber", "The employee number of the enterprise extension."),
    ("department", "The department."),
    ("division", "The division."),
    ("costcentercode", "The cost center (costCenter)."),
    ("organization", "The organization."),
];

/// The attributes of a group that hold text.
const GROUP_TEXTS: [(&str, &str); 3] = [
    ("id", "The group's id in the directory."),
    ("displayName", "The group's name."),
    ("externalId", "The group's id in another system, kept with a new group."),
];

/// The fields of a person that hold text and are known here, by their internal names.
pub fn known_fields() -> impl Iterator<Item = &'static str> {
    PERSON_TEXTS.iter().map(|(name, _)| *name)
}

impl PartialSchema for UserProfile {
    fn schema() -> RefOr<Schema> {
        document(PERSON, "The person's profile: an object, or a string that holds one.")
    }
}

impl ToSchema for UserProfile {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("UserProfile")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((PERSON.to_owned(), person().into()));
    }
}

impl PartialSchema for GroupProfile {
    fn schema() -> RefOr<Schema> {
        document(GROUP, "The group's SCIM data: an object, or a string that holds one.")
    }
}

impl ToSchema for GroupProfile {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("GroupProfile")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((GROUP.to_owned(), group().into()));
    }
}

fn document(fields: &str, description: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .content_media_type("application/json");
    OneOfBuilder::new()
        .item(Ref::from_schema_name(fields))
        .item(text)
        .description(Some(description))
        .into()
}

fn person() -> Object {
    let old = "What was true before the change, in the profile's own form; finds renamed people.";
    let old = Ref::builder()
        .ref_location_from_schema_name("UserProfile")
        .description(Some(old));
    let active = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Boolean, Type::Null]))
        .description(Some(
            "Whether the person is active; false together with `allow-enable` true is refused.",
        ));
    texts(&PERSON_TEXTS)
        .property("olduserdata", old)
        .property("active", active)
        .description(Some(
            "The fields of a person that are known here, under their internal names; display names (`Given Name`) are taken as well. What no \
             mapping asks for is kept and ignored. A field that is missing, null or empty fills nothing.",
        ))
        .build()
}

fn group() -> Object {
    let id = || ObjectBuilder::new().schema_type(Type::String);
    let member = id().description(Some("A user's id in the directory."));
    let member = ObjectBuilder::new().property("value", member).required("value");
    let member = OneOfBuilder::new()
        .item(id())
        .item(member.additional_properties(Some(AdditionalProperties::FreeForm(true))));
    let members = OneOfBuilder::new()
        .item(ArrayBuilder::new().items(member))
        .item(id())
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .description(Some(
            "The members of a new group: ids, or objects that hold one under `value`; as a list, or as a string of ids separated by commas.",
        ));
    texts(&GROUP_TEXTS)
        .property("members", members)
        .description(Some(
            "The attributes of a group that are known here; others are kept and ignored.",
        ))
        .build()
}

/// An object that is open to other fields, with these texts in it.
fn texts(fields: &[(&str, &str)]) -> ObjectBuilder {
    let open = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true)));
    fields.iter().fold(open, |object, (name, description)| {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some(*description));
        object.property(*name, text)
    })
}
