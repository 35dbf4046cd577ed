//! The one place where each setting stands.
//!
//! `settings!` makes of one row a field, its documentation, its row of the reference, a constant
//! that names it to the checks, and what reads it. A name that is misspelt does not compile, and
//! neither the reference nor a default can drift from what is read.

/// Defines a table of settings, each `name: Type = kind, default "text";` below its documentation.
/// A setting without a default is an `Option`.
///
/// `pub struct Table: Scope { … }` makes the struct as well. `pub struct Table: Scope => Consumer`
/// fills a struct of its consumer, whose fields are called as the settings are. Either way there is
/// `Table::read(&mut Section)`, `Table::SETTINGS`, and a `&'static Setting` for each name.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $vis:vis struct $table:ident: $scope:ident {
            $($(#[doc = $documentation:literal])+ $name:ident: $type:ty = $kind:expr $(, default $default:literal)?;)+
        }
    ) => {
        $(#[$about])*
        $vis struct $table { $($(#[doc = $documentation])+ $vis $name: $type,)+ }
        $crate::config::table::settings! { @table $vis $table, $table, $scope,
            $($(#[doc = $documentation])+ $name = $kind $(, default $default)?;)+ }
    };
    (
        $(#[$about:meta])*
        $vis:vis struct $table:ident: $scope:ident => $consumer:ident {
            $($(#[doc = $documentation:literal])+ $name:ident = $kind:expr $(, default $default:literal)?;)+
        }
    ) => {
        $(#[$about])*
        $vis struct $table;
        $crate::config::table::settings! { @table $vis $table, $consumer, $scope,
            $($(#[doc = $documentation])+ $name = $kind $(, default $default)?;)+ }
    };
    (
        @table $vis:vis $table:ident, $struct:ident, $scope:ident,
        $($(#[doc = $documentation:literal])+ $name:ident = $kind:expr $(, default $default:literal)?;)+
    ) => {
        #[expect(non_upper_case_globals, reason = "a setting's constant is called as the setting is")]
        #[allow(dead_code, reason = "not every setting has a check of its own")]
        impl $table {
            $(
                $(#[doc = $documentation])+
                pub(super) const $name: &'static $crate::config::setting::Setting = &$crate::config::setting::Setting {
                    scope: $crate::config::setting::Scope::$scope,
                    name: stringify!($name),
                    default: $crate::config::table::settings!(@default $($default)?),
                    kind: &$kind,
                    documentation: concat!($($documentation),+),
                };
            )+

            /// All of them, in the order of the reference.
            pub(super) const SETTINGS: &'static [&'static $crate::config::setting::Setting] = &[$(Self::$name),+];

            /// Reads them all.
            pub(super) fn read(section: &mut $crate::config::section::Section<'_>) -> $struct {
                $struct {
                    $($name: $crate::config::table::settings!(@read section, Self::$name, $kind $(, $default)?),)+
                }
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@read $section:ident, $setting:expr, $kind:expr) => { $section.read($setting, &$kind) };
    (@read $section:ident, $setting:expr, $kind:expr, $default:literal) => {
        $section.read($setting, &$kind).expect("a default is read by a test")
    };
}
pub(super) use settings;
