//! What must hold when things break.

mod cluster;
mod deliveries;
mod forged;
mod kill;
mod outage;
mod slow_clients;
