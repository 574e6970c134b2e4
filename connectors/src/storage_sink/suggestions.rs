//! Extensions that a connector would profit from, which its file does not ask for.

use super::config::StorageSinkConfig;

impl StorageSinkConfig {
    /// A sentence for each, for the log of the start.
    pub(crate) fn suggestions(&self) -> Vec<String> {
        let mut suggestions = Vec::new();
        let rotation = &self.rotation;
        let waits_for_records = self.schedule.is_none() && rotation.idle.is_none();
        if waits_for_records && (rotation.flush_size > 1 || rotation.interval.is_some()) {
            let by = if rotation.interval.is_some() { "rotate.interval.ms" } else { "flush.size" };
            suggestions.push(format!(
                "the last records of a topic that falls quiet are written when others follow, for {by} alone closes files: rotate.idle.ms=600000 would write \
                 them after ten minutes without one"
            ));
        }
        // The wall clock goes one way.
        if rotation.interval.is_some() && rotation.on_change && !self.by_clock() {
            suggestions.push(
                "each change of the directory closes all files, as on the JVM: where times are out of order, rotate.file.on.partition.change=false makes \
                 fewer and larger objects"
                    .to_owned(),
            );
        }
        suggestions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &[(&str, &str)]) -> String {
        let common = [("format.class", "JsonFormat"), ("locale", "en"), ("timezone", "UTC")];
        let config = common.iter().chain(more).copied().collect();
        StorageSinkConfig::new(&config, &crate::plugins()).unwrap().suggestions().join("\n")
    }

    #[test]
    fn files_that_only_records_close_profit_from_the_idle_limit() {
        assert!(of(&[("flush.size", "1000")]).contains("rotate.idle.ms=600000"));
        let hourly = [("flush.size", "1000"), ("partitioner.class", "HourlyPartitioner"), ("rotate.interval.ms", "60000")];
        assert!(of(&hourly).contains("for rotate.interval.ms alone"));
        for enough in [[("flush.size", "1"), ("name", "x")], [("flush.size", "9"), ("rotate.schedule.interval.ms", "60000")]] {
            assert_eq!(of(&enough), "");
        }
        assert_eq!(of(&[("flush.size", "9"), ("rotate.idle.ms", "60000")]), "");
    }

    #[test]
    fn directories_by_the_time_of_records_profit_from_several_open_files() {
        let hourly = |more: (&'static str, &'static str)| {
            of(&[("flush.size", "9"), ("partitioner.class", "HourlyPartitioner"), ("rotate.interval.ms", "60000"), more])
        };
        assert!(hourly(("timestamp.extractor", "Record")).contains("rotate.file.on.partition.change=false"));
        assert!(!hourly(("timestamp.extractor", "Wallclock")).contains("partition.change"));
        assert!(!hourly(("rotate.file.on.partition.change", "false")).contains("partition.change"));
    }
}
