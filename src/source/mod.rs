//! (being written)

pub mod azure_devops;
