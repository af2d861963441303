//! What must hold when things break.

mod forged;
mod kill;
mod outage;
mod slow_clients;
