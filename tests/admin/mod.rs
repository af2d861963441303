mod clients;
mod users;
