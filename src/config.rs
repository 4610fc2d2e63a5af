//! The configuration file: types, defaults and validation with positions.
