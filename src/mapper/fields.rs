//! Which fields of a profile an outgoing mapping reads, and which of them alone fill something.

use std::collections::BTreeSet;

use super::{
    Mapper, MappingType, built_in,
    rule::{Field, Mapping},
};
use crate::scim::aws::{self, ENTERPRISE};

/// A place in a SCIM user that a mapping fills, and the fields that it is filled from.
#[derive(Debug)]
struct Filling<'m> {
    /// The attribute, dotted: `name.givenName`.
    path: String,
    fields: BTreeSet<&'m str>,
}

impl Mapper {
    /// The fields of a profile that fill something in the mapping of a type, or decide what does.
    pub fn fields(&self, mapping_type: MappingType) -> BTreeSet<&str> {
        let fillings = self.fillings(mapping_type).into_iter();
        fillings.flat_map(|filling| filling.fields).collect()
    }

    /// The fields that each alone fill one attribute, or a part of one, with its dotted path, in
    /// the mapping's order. A field that fills two, or one together with others, is none of them.
    pub fn sole_fields(&self, mapping_type: MappingType) -> Vec<(&str, String)> {
        let fillings = self.fillings(mapping_type);
        let is_alone = |place: usize, field: &str| {
            let mut others = fillings.iter().enumerate().filter(|(other, _)| *other != place);
            others.all(|(_, other)| !other.fields.contains(field) && !overlap(&other.path, &fillings[place].path))
        };
        let sole = |(place, filling): (usize, &Filling<'_>)| {
            let mut fields = filling.fields.iter();
            match (fields.next(), fields.next()) {
                (Some(field), None) if is_alone(place, field) => Some((place, filling.path.clone())),
                _ => None,
            }
        };
        let places: Vec<_> = fillings.iter().enumerate().filter_map(sole).collect();
        let named = |(place, path): (usize, String)| Some((*fillings[place].fields.first()?, path));
        places.into_iter().filter_map(named).collect()
    }

    /// The fields of a profile that an attribute is filled from, in creations or updates.
    pub fn fields_of(&self, attribute: &str) -> BTreeSet<&str> {
        let types = [MappingType::Create, MappingType::Update].into_iter();
        let fillings = types.flat_map(|mapping_type| self.fillings(mapping_type));
        let of_it = fillings.filter(|filling| filling.path == attribute);
        of_it.flat_map(|filling| filling.fields).collect()
    }

    fn fillings(&self, mapping_type: MappingType) -> Vec<Filling<'_>> {
        match self.outgoing.as_ref().and_then(|file| file.mapping(mapping_type)) {
            None => {
                let filling = |(field, path)| Filling {
                    path,
                    fields: BTreeSet::from([field]),
                };
                built_in::outgoing_fields().map(filling).collect()
            }
            Some(Mapping { fields }) => fields.iter().flat_map(fillings).collect(),
        }
    }
}

/// The places that one target of a file fills: a glued object's parts one by one.
fn fillings(field: &Field) -> Vec<Filling<'_>> {
    let target = field.target.dotted();
    let mut whole: BTreeSet<&str> = field.reads.iter().map(String::as_str).collect();
    let mut fillings = Vec::new();
    // A part of a list's element is nothing without the others.
    if aws::structure(&target) != Some("a list") {
        for (path, source) in &field.parts {
            whole.remove(source.as_str());
            fillings.push(Filling {
                path: path.clone(),
                fields: BTreeSet::from([source.as_str()]),
            });
        }
    }
    if !whole.is_empty() {
        fillings.push(Filling {
            path: target,
            fields: whole,
        });
    }
    for filling in &mut fillings {
        if let Some(name) = extension_attribute(&filling.path) {
            filling.path = format!("{ENTERPRISE}.{name}");
        }
    }
    // What SCIM 1.0's extension had and SCIM 2.0's has not is dropped.
    let is_dropped = |path: &str| extension_attribute(path).is_some_and(|name| !aws::is_enterprise_attribute(name));
    fillings.retain(|filling| !(field.target.is_1_0 && is_dropped(&filling.path)));
    fillings
}

/// The attribute of the enterprise extension that a path leads to, or into.
fn extension_attribute(path: &str) -> Option<&str> {
    let name = path.strip_prefix(ENTERPRISE)?.strip_prefix('.')?;
    name.split('.').next()
}

/// Whether two paths lead to the same attribute, or one into the other's.
fn overlap(one: &str, other: &str) -> bool {
    let is_inside = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    one == other || is_inside(one, other) || is_inside(other, one)
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::mapper::{Form, MapperFile};

    fn example(name: &str) -> Mapper {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/integration/mappers")
            .join(name);
        Mapper::new(MapperFile::load(&path).unwrap().0.map(Arc::new), None)
    }

    fn by_hand(targets: &str) -> Mapper {
        let text = format!("name = \"t\"\ndirection = \"outgoing\"\n[\"User Profile\"]\n{targets}");
        let (file, findings) = MapperFile::compile(&text, Form::Toml);
        Mapper::new(Some(Arc::new(file.unwrap_or_else(|| panic!("{findings:?}")))), None)
    }

    /// `field→path`, the extension as `+`.
    fn sole(mapper: &Mapper) -> Vec<String> {
        let told = |(field, path): (&str, String)| format!("{field}→{}", path.replace(&format!("{ENTERPRISE}."), "+"));
        let fields = mapper.sole_fields(MappingType::Update);
        fields.into_iter().map(told).collect()
    }

    #[test]
    fn each_field_of_the_built_in_mapping_fills_one_attribute_alone() {
        let mapper = Mapper::default();
        assert_eq!(sole(&mapper).len(), 14);
        assert!(sole(&mapper).contains(&"surname→name.familyName".to_owned()));
        assert!(sole(&mapper).contains(&"costcentercode→+costCenter".to_owned()));
        assert_eq!(mapper.fields(MappingType::Create).len(), 14);
    }

    #[test]
    fn the_parts_of_a_glued_object_are_filled_one_by_one() {
        let stock = example("stock-manner.json");
        assert_eq!(
            sole(&stock),
            [
                "email→emails",
                "employeeid→externalId",
                "givenname→name.givenName",
                "surname→name.familyName",
                "mobilephone→phoneNumbers",
                "title→title",
                "employeenumber→+employeeNumber",
                "department→+department",
                "division→+division",
                "costcentercode→+costCenter",
                "username→userName",
                "displayname→displayName",
                "employeetype→userType",
            ]
        );
        // SCIM 2.0's extension has no countryCode.
        assert!(!stock.fields(MappingType::Update).contains("countrycodenumber"));
        // Here the displayName is made of both names.
        let glued = sole(&example("glued-outgoing.json")).join(" ");
        assert!(!glued.contains("givenname") && glued.contains("title→title"), "{glued}");
    }

    #[test]
    fn a_field_that_shares_an_attribute_or_fills_two_is_not_alone() {
        let rows = [
            ("title = \"jobtitle\"", &["jobtitle→title"][..]),
            ("title = 'jobtitle or \"none\"'", &["jobtitle→title"]),
            ("title = \"jobtitle or role\"", &[]),
            ("title = \"role\"\nuserType = \"role\"", &[]),
            ("name = '{\"middleName\": middle, \"givenName\": given}'", &[]),
            ("name.middleName = \"middle\"", &["middle→name.middleName"]),
            ("\"name.middleName\" = \"middle\"\nname = '{\"formatted\": whole}'", &[]),
            (
                "emails = '[{\"value\": mail | lower, \"type\": \"work\", \"primary\": true}]'",
                &["mail→emails"],
            ),
            (
                "emails = '[{\"value\": mail, \"type\": mailtype, \"primary\": true}]'",
                &[],
            ),
            (
                "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\".manager.value = \"boss\"",
                &["boss→+manager"],
            ),
        ];
        for (targets, expected) in rows {
            assert_eq!(sole(&by_hand(targets)), expected, "{targets}");
        }
        assert_eq!(
            Vec::from_iter(by_hand("title = \"jobtitle or role\"").fields(MappingType::Update)),
            ["jobtitle", "role"]
        );
    }
}
