//! What every store promises, whatever it keeps its rows in.

mod model;
mod pruning;
mod random;
mod sqlite;
