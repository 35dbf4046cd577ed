//! What every store promises, whatever it keeps its rows in.

mod keyed;
mod model;
mod pruning;
mod random;
mod sqlite;
