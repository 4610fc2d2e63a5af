//! Projects are known by id: one name for each id of an organisation, whatever events call it.
//!
//! In: batches as they are staged. Out: the index's names, which fill in where an event has none and under which the
//! derived tables count a project that was renamed. The first import that shows an id decides, by its earliest event
//! with a name; an id that comes without any name stands for itself, so that one project never counts as two.

use super::Lake;
use crate::model::batch::EventBatch;
use crate::model::inventory::OrgKey;
use crate::model::time::Micros;
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// Names of one organisation's projects, by id.
pub(in crate::lake) type ProjectNames = BTreeMap<String, String>;

/// Names that the batches of an import show, each with its earliest event; those without a name come last.
#[derive(Debug, Default)]
pub(super) struct Shown(BTreeMap<OrgKey, BTreeMap<String, (bool, Micros, String)>>);

impl Shown {
    /// Notes the projects of a batch.
    pub(super) fn note(&mut self, org: &OrgKey, batch: &EventBatch) {
        let mut earliest: HashMap<(u32, u32), Micros> = HashMap::new();
        let mut run: Option<((u32, u32), Micros)> = None;
        let mut add = |(pair, time): ((u32, u32), Micros)| {
            let held = earliest.entry(pair).or_insert(time);
            *held = time.min(*held);
        };
        for i in 0..batch.len() {
            let (pair, time) = ((batch.project_id.code(i), batch.project.code(i)), batch.time[i]);
            run = match run {
                // Most events share the project of the one before.
                Some((same, earlier)) if same == pair => Some((same, time.min(earlier))),
                other => {
                    other.into_iter().for_each(&mut add);
                    Some((pair, time))
                }
            };
        }
        run.into_iter().for_each(&mut add);
        let (ids, names) = (batch.project_id.values(), batch.project.values());
        for ((id, name), time) in earliest {
            let (id, name) = (ids.get(id as usize), names.get(name as usize));
            if id.is_empty() {
                continue;
            }
            if !self.0.contains_key(org) {
                self.0.insert(org.clone(), BTreeMap::new());
            }
            let Some(projects) = self.0.get_mut(org) else { continue };
            let shown = (name.is_empty(), time, name);
            match projects.get_mut(id) {
                Some(held) if (held.0, held.1, held.2.as_str()) <= shown => {}
                Some(held) => *held = (shown.0, time, name.to_owned()),
                None => drop(projects.insert(id.to_owned(), (shown.0, time, name.to_owned()))),
            }
        }
    }

    /// Adds to the index what it does not know yet; `place` gives the organisation under which a key is kept.
    pub(super) fn learn<'a>(self, lake: &mut Lake, place: impl Fn(&OrgKey) -> Option<&'a String>) {
        let mut found: BTreeMap<&String, BTreeMap<String, (bool, Micros, String)>> = BTreeMap::new();
        for (key, projects) in self.0 {
            let Some(org) = place(&key) else { continue };
            let of_org = found.entry(org).or_default();
            for (id, shown) in projects {
                match of_org.get_mut(&id) {
                    Some(held) => *held = std::cmp::min(std::mem::take(held), shown),
                    None => drop(of_org.insert(id, shown)),
                }
            }
        }
        for (org, projects) in found {
            let known = lake.index.projects.entry(org.clone()).or_default();
            for (id, (nameless, _, name)) in projects {
                let name = if nameless { id.clone() } else { name };
                known.entry(id).or_insert(name);
            }
        }
    }
}

impl Lake {
    /// Names of an organisation's projects, by id.
    pub(in crate::lake) fn projects(&self, org: &str) -> Option<&ProjectNames> {
        self.index.projects.get(org)
    }
}
