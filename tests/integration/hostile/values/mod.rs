//! Values that pose as a path, a filter, a patch, an attribute, more than there is room for.

mod ids;
mod profiles;
mod sizes;
