//! Keeping to whose requests are served, and how many.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use super::Engine;
use crate::{error::Result, event::Event, health::Concern, journal::Entry, metrics::signed};

impl Engine {
    /// Refuses requests of subjects that are not served.
    pub(super) fn refuse_others(&mut self) -> Result<()> {
        let Some(subjects) = &self.options.serving.subjects else { return Ok(()) };
        for entry in self.journal.refuse_others(subjects)? {
            self.tell(Event::Refused { request: entry.id, reason: entry.reason.unwrap_or_default() });
        }
        let refused = self.journal.not_served()?;
        self.metrics.not_served("subject").set(signed(refused));
        let notice = format!("{refused} requests of subjects that are not served were refused");
        self.health.notice(Concern::Subjects, (refused > 0).then_some(notice));
        Ok(())
    }

    /// Subjects who have to wait for their next request, by their quotas.
    pub(super) fn over_quota(&self) -> Result<BTreeSet<Address>> {
        let (mut all, mut notices) = (BTreeSet::new(), Vec::new());
        for quota in self.options.serving.quotas() {
            let over = self.journal.over_quota(&quota)?;
            let held = self.journal.held(&over)?;
            self.metrics.not_served(quota.name).set(signed(held));
            if held > 0 {
                let (most, window) = (quota.most, quota.window);
                notices.push(format!(
                    "{held} requests wait, since their subjects have had {most} within {window}"
                ));
            }
            all.extend(over);
        }
        self.health.notice(Concern::Quota, (!notices.is_empty()).then(|| notices.join("; ")));
        Ok(all)
    }

    /// Whether a subject's quotas have room for a request. One that was begun before has its room.
    pub(super) fn has_room(&self, entry: &Entry) -> Result<bool> {
        for quota in self.options.serving.quotas() {
            if self.journal.begun_besides(&entry.id, &entry.request.subject, &quota)? >= quota.most {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
