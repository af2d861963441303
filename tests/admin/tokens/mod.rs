//! `/admin/v1/tokens…`

mod edit;
mod end;
mod list;
mod make;
