//! Settings that a connector would profit from, which its file does not have.

use connect_api::PartitionedBy;

use super::config::StorageSinkConfig;

impl StorageSinkConfig {
    /// A sentence for each, for the log of the start.
    pub(crate) fn suggestions(&self) -> Vec<String> {
        let mut suggestions = Vec::new();
        let rotation = &self.rotation;
        if rotation.flush_size == 1 {
            // Every record is written at once.
            return suggestions;
        }
        if self.schedule.is_none() && rotation.idle.is_none() {
            suggestions.push(
                "files are closed only when records arrive, so the last records of a quiet topic wait for the next one: rotate.idle.ms=600000, an extension, \
                 writes them after ten minutes"
                    .to_owned(),
            );
        }
        // The wall clock alone goes one way.
        let may_alternate = !self.by_clock() || self.partitioned_by == PartitionedBy::RecordAndTime;
        if rotation.interval.is_some() && rotation.on_change && may_alternate {
            suggestions.push(
                "each change of the directory closes all files, as on the JVM: if directories alternate, rotate.file.on.partition.change=false makes fewer \
                 and larger objects"
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
        assert!(of(&hourly).contains("rotate.idle.ms=600000"));
        assert_eq!(of(&[("flush.size", "1"), hourly[1], hourly[2]]), "");
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
        let both = [("partitioner.class", "TemplatePartitioner"), ("partition.template", "{field.a}/{time:HH}")];
        let clock = [("flush.size", "9"), ("partition.duration.ms", "3600000"), ("rotate.interval.ms", "60000")];
        assert!(of(&[both, [clock[0], clock[1]], [clock[2], ("name", "x")]].concat()).contains("partition.change"));
        assert!(!hourly(("rotate.file.on.partition.change", "false")).contains("partition.change"));
    }
}
