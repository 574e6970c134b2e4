//! How much memory there is.

/// The share of the memory there is that waits to become durable.
const SHARE: usize = 4;

/// More helps nobody: it is filled only while a store is slower than Kafka.
const MOST: usize = 32 << 20;

/// Less than this keeps nothing moving.
const LEAST: usize = 8 << 20;

/// The budget where none is set: a quarter of what the control group or the machine allows, and no more than 32 MiB.
pub(crate) fn default_budget() -> usize {
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let control_group = limits.iter().filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok()).min();
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    budget_of(control_group.into_iter().chain(machine).min())
}

fn budget_of(memory: Option<usize>) -> usize {
    memory.map_or(MOST, |memory| (memory / SHARE).clamp(LEAST, MOST))
}

/// Bytes of the machine, from `/proc/meminfo`.
fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_quarter_of_the_memory_within_bounds() {
        assert_eq!(budget_of(Some(64 << 20)), 16 << 20);
        assert_eq!(budget_of(Some(16 << 30)), MOST);
        assert_eq!(budget_of(Some(1 << 20)), LEAST);
        assert_eq!(budget_of(None), MOST);
    }

    #[test]
    fn the_machines_memory_is_read_in_kilobytes() {
        assert_eq!(total("MemTotal:        2048 kB\nMemFree:  1 kB\n"), Some(2 << 20));
        assert_eq!(total("MemFree:  1 kB\n"), None);
    }
}
