//! The organisation: options in, people, projects and networks out.
//!
//! Names are made up by joining syllables and common words; the domain ends in `.example`.

use base64::Engine as _;

use super::dice::Dice;
use super::place::{Network, Networks, Site};
use crate::model::time::{DAY, Day, HOUR, Micros, Span, day_start};

/// A user of the organisation; automation accounts are users too.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) upn: String,
    pub(super) user_id: String,
    pub(super) cuid: String,
    pub(super) descriptor: String,
    pub(super) origin_id: String,
    pub(super) hours_from_utc: i64,
    pub(super) site: Site,
    pub(super) machine: usize,
    pub(super) holiday: Span,
    pub(super) automation: bool,
    /// Access taken away, perhaps with the day it came back.
    pub(super) left: Option<(Micros, Option<Micros>)>,
    /// Whether a leaver stays in the lists as disabled.
    pub(super) stays_listed: bool,
}

/// A named thing with an id.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) id: String,
    pub(super) name: String,
}

/// A project and what it holds.
#[derive(Debug, Clone)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) repositories: Vec<Thing>,
    pub(super) connections: Vec<Thing>,
    pub(super) variable_groups: Vec<Thing>,
    pub(super) pipelines: Vec<Thing>,
}

/// Everything that stands still while the log is written.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) org: String,
    pub(super) org_id: String,
    pub(super) tenant_id: String,
    pub(super) start: Micros,
    pub(super) end: Micros,
    pub(super) first_day: Day,
    pub(super) days: i32,
    /// Days that no export holds.
    pub(super) gap: Span,
    pub(super) people: Vec<Person>,
    pub(super) projects: Vec<Project>,
    pub(super) hosted: Vec<Network>,
    /// Whether events about variable groups carry the variables: one public report says that real ones do not.
    pub(super) variables: bool,
    pub(super) networks: Networks,
}

const GIVEN: &[&str] = &[
    "Ada", "Bruno", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kavya", "Liam",
    "Mira", "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Sami", "Tove", "Umar", "Vera", "Wanda", "Xenia",
    "Yusuf", "Zora",
];
const FAMILY_HEAD: &[&str] = &[
    "Alder", "Birch", "Cinder", "Dorn", "Elm", "Fern", "Gorse", "Hazel", "Iver", "Juni", "Kestrel", "Lark",
    "Marl",
];
const FAMILY_TAIL: &[&str] =
    &["wick", "brook", "mere", "stad", "holt", "by", "ton", "well", "gren", "ova", "field"];
const THEME: &[&str] = &[
    "Billing", "Harbour", "Ledger", "Lantern", "Orchard", "Payroll", "Quarry", "Relay", "Saffron", "Tidal",
    "Umbra", "Velvet", "Willow", "Yonder", "Zephyr", "Basalt", "Copper", "Delta", "Ember", "Falcon",
    "Granite", "Heron",
];
const PART: &[&str] =
    &["api", "web", "worker", "infra", "shared", "mobile", "docs", "jobs", "gateway", "schema"];

impl World {
    /// Builds the organisation for about `tokens` tokens over `days` days that end with `last_day`.
    pub(super) fn new(seed: u64, org: &str, tokens: usize, days: u32, last_day: Day) -> Self {
        let mut dice = Dice::new(seed, "world", 0);
        let mut networks = Networks::new(&mut dice);
        let days = i32::try_from(days).unwrap_or(90);
        let first_day = last_day - days + 1;
        let start = day_start(first_day);
        let gap_at = start + DAY * i64::from(days / 4) + 5 * HOUR;
        // Three days and a bit: a poller that stopped on a Friday evening, say.
        let gap = Span { from: gap_at, to: gap_at + 3 * DAY + 7 * HOUR };
        let hosted = (0..40 + tokens / 10).map(|_| networks.fresh()).collect();
        let offices: Vec<(Network, i64)> = [1, -5, 5].iter().map(|zone| (networks.fresh(), *zone)).collect();
        let vpn = networks.fresh();
        let mut world = Self {
            seed,
            org: org.to_owned(),
            org_id: dice.guid(),
            tenant_id: dice.guid(),
            start,
            end: day_start(last_day + 1),
            first_day,
            days,
            gap,
            people: Vec::new(),
            projects: Vec::new(),
            hosted,
            // One seed in four.
            variables: seed % 4 != 3,
            networks,
        };
        let people = 8 + tokens * 2 / 5;
        for index in 0..people {
            let (office, zone) = &offices[if index % 5 < 3 { 0 } else { index % 3 }];
            let person = world.person(index, office.clone(), vpn.clone(), *zone);
            world.people.push(person);
        }
        for index in 0..10 + tokens / 40 {
            let project = Self::project(seed, index);
            world.projects.push(project);
        }
        world
    }

    fn person(&mut self, index: usize, office: Network, vpn: Network, zone: i64) -> Person {
        let mut dice = Dice::new(self.seed, "person", index);
        // One user in five is an account that a machine signs in with.
        let automation = index % 5 == 4;
        let (name, alias) = if automation {
            let alias = format!("svc-{}-{}", dice.pick(PART), index);
            (alias.clone(), alias)
        } else {
            let given = GIVEN[(index * 7 + dice.below(3)) % GIVEN.len()];
            let family = format!("{}{}", dice.pick(FAMILY_HEAD), dice.pick(FAMILY_TAIL));
            let name = format!("{given} {family}");
            // The index keeps two people of one name apart.
            (name, format!("{}.{}{index}", given.to_lowercase(), family.to_lowercase()))
        };
        let cuid = dice.guid_of_version('7');
        // Accounts older than the Entra link keep a storage key of their own.
        let user_id = if index % 12 == 11 { dice.guid() } else { format!("{}6{}", &cuid[..14], &cuid[15..]) };
        let home = if index.is_multiple_of(6) { self.networks.fresh_v6() } else { self.networks.fresh() };
        let away = self.start + DAY * dice.between(5, i64::from(self.days).max(6));
        Person {
            descriptor: format!("aad.{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(&cuid)),
            upn: format!("{alias}@{}.example", self.org.trim_end_matches("-sample")),
            name,
            user_id,
            cuid,
            origin_id: dice.guid(),
            hours_from_utc: zone,
            site: if automation {
                Site::Server(self.networks.fresh(), 11)
            } else {
                Site::Person { office, home, vpn }
            },
            machine: dice.below(40),
            holiday: Span { from: away, to: away + DAY * dice.between(7, 22) },
            automation,
            left: None,
            stays_listed: dice.chance(0.5),
        }
    }

    /// Builds the project numbered `index`.
    pub(super) fn project(seed: u64, index: usize) -> Project {
        let mut dice = Dice::new(seed, "project", index);
        let name = match index / THEME.len() {
            0 => THEME[index].to_owned(),
            round => format!("{} {}", THEME[index % THEME.len()], round + 1),
        };
        let slug = name.to_lowercase().replace(' ', "-");
        let things = |dice: &mut Dice, count: i64, form: &dyn Fn(usize) -> String| -> Vec<Thing> {
            (0..count as usize).map(|at| Thing { id: dice.guid(), name: form(at) }).collect()
        };
        let repositories = dice.between(4, 11);
        Project {
            id: dice.guid(),
            repositories: things(&mut dice, repositories, &|at| format!("{slug}-{}", PART[at % PART.len()])),
            connections: things(&mut dice, 3, &|at| format!("{slug}-{}", ["azure", "registry", "nuget"][at])),
            variable_groups: things(&mut dice, 3, &|at| format!("{slug}-{}", ["dev", "test", "prod"][at])),
            pipelines: things(&mut dice, 4, &|at| {
                format!("{slug}-{}", ["ci", "cd", "nightly", "images"][at])
            }),
            name,
        }
    }

    /// People, without the accounts of machines.
    pub(super) fn humans(&self) -> Vec<usize> {
        (0..self.people.len()).filter(|at| !self.people[*at].automation).collect()
    }

    /// Accounts of machines.
    pub(super) fn machines(&self) -> Vec<usize> {
        (0..self.people.len()).filter(|at| self.people[*at].automation).collect()
    }

    /// Returns an instant `share` of the way through the window.
    pub(super) fn at(&self, share: f64) -> Micros {
        self.start + ((self.end - self.start) as f64 * share) as Micros
    }
}
