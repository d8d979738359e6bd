//! [`Named`]: what field rules mean in a record of the fast lane.

use super::{Job, OutOfLane};
use crate::format::Format;
use crate::format::json::{Json, Skim};
use crate::policy::selector::Path;

/// Tells what stands under the names that are watched for. It owns the buffers that this takes.
#[derive(Debug, Default)]
pub(super) struct Named {
    skim: Skim,
    path: Path,
}

impl Named {
    /// Reads a record. It has to be JSON, with nothing meant by a field rule.
    pub(super) fn read(&mut self, job: Job<'_>) -> Result<(), OutOfLane> {
        let Named { skim, path } = self;
        let record = job.content.of(job.block);
        if !job.watch.tells_by_names() || !is_read_as_json(job, record) {
            return Err(OutOfLane);
        }
        let mut is_meant = false;
        let colons = job.names.iter().map(|at| *at as usize - job.content.start);
        let read = skim.read(record, colons, |member| {
            path.clear();
            member.names.iter().flatten().for_each(|name| path.push(name.of(record)));
            is_meant |= job.policy.field_rule(path).is_some();
        });
        if read.is_err() || is_meant { Err(OutOfLane) } else { Ok(()) }
    }
}

/// Whether the record is read as JSON, if it is JSON.
fn is_read_as_json(job: Job<'_>, record: &[u8]) -> bool {
    let first = job.policy.formats().find(|format| format.name() == Json.name() || format.may_be(record));
    first.is_some_and(|format| format.name() == Json.name())
}
