//! What tests stand on: databases, the running application, random worlds.

pub mod app;
pub mod databases;
pub mod projection;
pub mod world;
