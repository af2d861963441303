//! `/console/admin/plans`: the usage limits of the workspace.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::apis::PER_PAGE;
use crate::domain::ids::PlanId;
use crate::domain::lifetime::Lifetime;
use crate::domain::plan::{Plan, Quota};
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::pager::{self, Pager};
use crate::http::console::removal::Removal;
use crate::http::console::respond::{html, see_other};
use crate::http::console::sheet::{Field, Input, Sheet, Tick};
use crate::http::console::{done, failure};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::detail::{Detail, Reason};
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::service::plans::{CreatePlan, EditPlan};
use crate::store::api::ApiCursor;
use crate::store::plan::PlanCursor;

#[derive(Template)]
#[template(path = "console/admin/plans.html")]
struct PlansPage<'a> {
    page: &'a Page,
    plans: &'a [Plan],
    list: Pager,
    done: Option<&'static str>,
}

/// What the fields hold.
#[derive(Clone, Default)]
struct Typed {
    name: String,
    requests: String,
    period: String,
    apis: Vec<String>,
}

const LIST: &str = "/console/admin/plans";
const NEW: &str = "/console/admin/new/plan";
const DONE: [&str; 3] = ["plan-made", "plan-edited", "plan-deleted"];
/// APIs to choose from; a workspace with more of them uses REST.
const MAX_CHOICES: u32 = 200;

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let after = pager::after(&parts.uri)
        .map_or(PlanCursor::START, |(created_at, id)| PlanCursor { created_at, id: PlanId::from_bytes(id) });
    let listed = state.service.list_plans(me.caller(), after, PER_PAGE).await;
    let (plans, next) = listed.map_err(me.failed())?;
    let next = next.map(|next| (next.created_at, *next.id.as_bytes()));
    let list = Pager::new(&parts.uri, LIST, &[], next);
    Ok(html(&PlansPage { page: &me.page(Area::Plans), plans: &plans, list, done: done::of(&parts.uri, &DONE) }))
}

pub(crate) async fn new(State(state): State<AppState>, me: Me) -> Answer {
    let typed = Typed { requests: "100".to_owned(), period: "1m".to_owned(), ..Typed::default() };
    new_sheet(&state, &me, &typed, &[]).await
}

pub(crate) async fn create(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let typed = Typed::read(&fields);
    let created = match typed.quota() {
        Err(errors) => Err(ApiFailure::Invalid(errors)),
        Ok((requests, period)) => {
            let request = CreatePlan { name: typed.name.clone(), requests, period, apis: typed.apis.clone() };
            state.service.create_plan(me.caller(), &request).await
        }
    };
    match created {
        Ok(_) => Ok(see_other(&format!("{LIST}?done=plan-made"))),
        Err(ApiFailure::Invalid(errors)) => new_sheet(&state, &me, &typed, &errors).await,
        Err(ApiFailure::Conflict(taken)) => new_sheet(&state, &me, &typed, &[FieldError::new("/name", taken)]).await,
        Err(failure) => Err(failure::of(&me.page(Area::Plans), &failure)),
    }
}

pub(crate) async fn show_edit(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let plan = find(&state, &me, &id).await?;
    edit_sheet(&state, &me, &plan, &Typed::of(&plan), false, &[]).await
}

pub(crate) async fn save(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let (plan, typed) = (find(&state, &me, &id).await?, Typed::read(&fields));
    let Ok(version) = fields.text("version").parse() else {
        return Err(failure::expired_form(&me.page));
    };
    let edited = match typed.quota() {
        Err(errors) => Err(ApiFailure::Invalid(errors)),
        Ok((requests, period)) => {
            let edit = EditPlan { requests: Some(requests), period: Some(period), apis: Some(typed.apis.clone()) };
            state.service.edit_plan(me.caller(), plan.id, &IfMatch::Versions(vec![version]), edit).await
        }
    };
    match edited {
        Ok(_) => Ok(see_other(&format!("{LIST}?done=plan-edited"))),
        Err(ApiFailure::PreconditionFailed { .. }) => {
            let plan = find(&state, &me, &id).await?;
            edit_sheet(&state, &me, &plan, &typed, true, &[]).await
        }
        Err(ApiFailure::Invalid(errors)) => edit_sheet(&state, &me, &plan, &typed, false, &errors).await,
        Err(failure) => Err(failure::of(&me.page(Area::Plans), &failure)),
    }
}

pub(crate) async fn confirm_delete(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    Ok(removal(&state, &me, &id).await?.ask())
}

pub(crate) async fn delete(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    if let Some(asked_again) = removal(&state, &me, &id).await?.asked_again(&fields) {
        return Ok(asked_again);
    }
    let id = find(&state, &me, &id).await?.id;
    state.service.delete_plan(me.caller(), id, false).await.map_err(me.failed())?;
    Ok(see_other(&format!("{LIST}?done=plan-deleted")))
}

async fn removal(state: &AppState, me: &Me, id: &str) -> Result<Removal, Response> {
    let (page, plan) = (me.page(Area::Plans), find(state, me, id).await?);
    let deletion = state.service.delete_plan(me.caller(), plan.id, true).await.map_err(me.failed())?;
    let reach = deletion.reach.ok_or_else(|| failure::nothing_here(&page))?;
    Ok(Removal {
        title: page.with("delete-plan-title", "name", &plan.name).into_owned(),
        meaning: "delete-plan-meaning",
        counted_as: "tokens-naming",
        verb: "delete",
        reach: reach.into(),
        spared: "",
        list: ("plans", LIST.to_owned()),
        action: format!("{LIST}/{}/delete", plan.id),
        back: LIST.to_owned(),
        objection: None,
        page,
    })
}

async fn find(state: &AppState, me: &Me, id: &str) -> Result<Plan, Response> {
    let Ok(id) = id.parse::<PlanId>() else {
        return Err(failure::nothing_here(&me.page));
    };
    state.service.find_plan(me.caller(), id).await.map_err(me.failed())
}

fn not_a_number() -> Detail {
    Detail::new(Reason::WholeNumber { max: Quota::MAX_REQUESTS.into() }, "is a whole number")
}

async fn new_sheet(state: &AppState, me: &Me, typed: &Typed, errors: &[FieldError]) -> Answer {
    let page = &me.page(Area::Plans);
    let mut fields = vec![Field::text("name", "name", &typed.name).hint("catalog-name-hint")];
    fields.extend(typed.fields(&choices(state, me).await?, None));
    let sheet = Sheet {
        page,
        title: page.t("new-plan").into_owned(),
        lead: "new-plan-lead",
        list: ("plans", LIST),
        action: NEW.to_owned(),
        back: LIST.to_owned(),
        verb: "make-plan",
        hidden: ("version", "0".to_owned()),
        fields,
        merging: false,
        errors,
    };
    Ok(sheet.respond())
}

async fn edit_sheet(
    state: &AppState,
    me: &Me,
    plan: &Plan,
    typed: &Typed,
    merging: bool,
    errors: &[FieldError],
) -> Answer {
    let (page, stored) = (&me.page(Area::Plans), Typed::of(plan));
    let sheet = Sheet {
        page,
        title: page.with("edit-title", "name", &plan.name).into_owned(),
        lead: "catalog-name-fixed",
        list: ("plans", LIST),
        action: format!("{LIST}/{}/edit", plan.id),
        back: LIST.to_owned(),
        verb: "save",
        hidden: ("version", plan.version.to_string()),
        fields: typed.fields(&choices(state, me).await?, merging.then_some(&stored)),
        merging,
        errors,
    };
    Ok(sheet.respond())
}

/// The names of the workspace's APIs.
async fn choices(state: &AppState, me: &Me) -> Result<Vec<String>, Response> {
    let listed = state.service.list_apis(me.caller(), ApiCursor::START, MAX_CHOICES).await;
    let mut names: Vec<String> = listed.map_err(me.failed())?.0.iter().map(|api| api.name.to_string()).collect();
    names.sort_unstable();
    Ok(names)
}

impl Typed {
    fn of(plan: &Plan) -> Self {
        Self {
            name: plan.name.to_string(),
            requests: plan.quota.requests.to_string(),
            period: plan.quota.period().to_string(),
            apis: plan.apis.iter().map(ToString::to_string).collect(),
        }
    }

    fn read(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let apis = fields.all("apis").map(ToOwned::to_owned).collect();
        Self { name: text("name"), requests: text("requests"), period: text("period"), apis }
    }

    /// The numbers of the limit, as far as they are numbers.
    fn quota(&self) -> Result<(u32, Lifetime), Vec<FieldError>> {
        match (self.requests.parse::<u32>(), self.period.parse::<Lifetime>()) {
            (Ok(requests), Ok(period)) => Ok((requests, period)),
            (requests, period) => {
                let requests = requests.err().map(|_| FieldError::new("/requests", not_a_number()));
                let period = period.err().map(|error| FieldError::new("/period", error));
                Err(requests.into_iter().chain(period).collect())
            }
        }
    }

    /// What can be edited, with what is stored where somebody else was faster.
    fn fields(&self, apis: &[String], stored: Option<&Self>) -> Vec<Field> {
        // An API that was deleted since stays ticked until it is unticked.
        let all = apis.iter().chain(self.apis.iter().filter(|name| !apis.contains(name)));
        let tick = |name: &String| Tick { value: name.clone(), label: name.clone(), chosen: self.apis.contains(name) };
        let mut names = stored.map(|stored| stored.apis.clone());
        names.iter_mut().for_each(|names| names.sort_unstable());
        let mut fields = vec![
            Field::text("requests", "plan-requests", &self.requests)
                .beside(stored.map(|stored| stored.requests.clone())),
            Field::text("period", "plan-period", &self.period)
                .hint("plan-period-hint")
                .beside(stored.map(|stored| stored.period.clone())),
        ];
        let options: Vec<Tick> = all.map(tick).collect();
        if !options.is_empty() {
            let field = Field::new("apis", "plan-apis", Input::Many { options }).hint("plan-apis-hint");
            fields.push(field.beside(names.map(|names| names.join(", "))));
        }
        fields
    }
}

impl PlansPage<'_> {
    fn apis(&self, plan: &Plan) -> String {
        plan.apis.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}
