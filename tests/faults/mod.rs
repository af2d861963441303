//! What must hold when things break.

mod cluster;
mod forged;
mod kill;
mod outage;
mod slow_clients;
