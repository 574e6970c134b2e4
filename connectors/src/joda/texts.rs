//! Names of months, days, eras and zones.

/// A line a language, the root first: short and long months, short and long days from Monday on, halves of the day, eras.
const LOCALES: &str = include_str!("locales.tsv");
/// A line for zones of the same names: those in English, those of the root where they are others, the zones with their aliases.
const ZONES: &str = include_str!("zones.tsv");

/// The texts of a language.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    pub(super) short_months: Vec<&'static str>,
    pub(super) months: Vec<&'static str>,
    pub(super) short_days: Vec<&'static str>,
    pub(super) days: Vec<&'static str>,
    pub(super) halves: Vec<&'static str>,
    pub(super) eras: Vec<&'static str>,
    zones: Zones,
}

/// In which language names of zones are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zones {
    English,
    Root,
    Unknown,
}

/// The names of a zone in the two halves of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ZoneNames {
    pub(super) standard: Name,
    pub(super) summer: Name,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) short: &'static str,
    pub(super) long: &'static str,
}

impl Texts {
    /// The texts for a value of `locale`, which the JVM connector takes for the code of a language alone: `fr` is French, and `fr-FR` no language at all,
    /// which has the texts of the root.
    pub(crate) fn of(locale: &str) -> Self {
        let language = locale.to_ascii_lowercase();
        let line = |language: &str| LOCALES.lines().find_map(|line| line.strip_prefix(language)?.strip_prefix('\t'));
        let own = line(&language);
        let zones = match language.as_str() {
            "en" => Zones::English,
            _ if own.is_none() => Zones::Root,
            _ => Zones::Unknown,
        };
        let mut columns = own.or_else(|| line("")).unwrap_or_default().split('\t').map(|column| column.split('|').collect());
        let mut next = || columns.next().unwrap_or_default();
        Self { short_months: next(), months: next(), short_days: next(), days: next(), halves: next(), eras: next(), zones }
    }

    /// Whether names of zones are known.
    pub(super) fn have_zones(&self) -> bool {
        self.zones != Zones::Unknown
    }

    /// The names of a zone, where it has any.
    pub(super) fn zone(&self, id: &str) -> Option<ZoneNames> {
        let line = ZONES.lines().find(|line| zones_of(line).any(|mut names| names.next() == Some(id)))?;
        let mut columns = line.split('\t');
        let (english, root) = (columns.next()?, columns.next()?);
        let names = if self.zones == Zones::Root && root != "=" { root } else { english };
        let mut names = names.split('|');
        let mut name = || Some(Name { short: names.next()?, long: names.next()? });
        Some(ZoneNames { standard: name()?, summer: name()? })
    }
}

/// The id that Joda-Time gives a zone of several names.
pub(super) fn canonical_zone(id: &str) -> &str {
    let canonical = ZONES.lines().flat_map(zones_of).find_map(|mut names| {
        let canonical = names.next()?;
        names.any(|alias| alias == id).then_some(canonical)
    });
    canonical.unwrap_or(id)
}

/// The zones of a line, each the id and then its aliases.
fn zones_of(line: &'static str) -> impl Iterator<Item = impl Iterator<Item = &'static str>> {
    line.rsplit('\t').next().unwrap_or_default().split(' ').map(|zone| zone.split('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_all_texts() {
        for line in LOCALES.lines() {
            let language = line.split('\t').next().unwrap();
            let texts = Texts::of(language);
            let counts =
                [&texts.short_months, &texts.months, &texts.short_days, &texts.days, &texts.halves, &texts.eras].map(Vec::len);
            assert_eq!(counts, [12, 12, 7, 7, 2, 2], "{language}");
        }
        assert!(LOCALES.lines().count() > 200);
    }

    #[test]
    fn a_locale_is_a_language_in_any_case_and_nothing_else() {
        assert_eq!(Texts::of("FR").months[1], "février");
        for root in ["fr-FR", "fr_FR", "en-US", "US", "no such language", ""] {
            assert_eq!(Texts::of(root).months[1], "Feb", "{root}");
            assert_eq!(Texts::of(root).eras[1], "CE", "{root}");
        }
    }

    #[test]
    fn zones_have_names_in_english_and_in_the_root() {
        assert_eq!(Texts::of("en").zone("Europe/Berlin").unwrap().summer.short, "CEST");
        assert_eq!(Texts::of("en").zone("Europe/Berlin").unwrap().standard.long, "Central European Standard Time");
        assert_eq!(Texts::of("en-US").zone("Europe/Berlin").unwrap().standard.long, "Central European Time");
        assert_eq!(Texts::of("en").zone("Etc/GMT+2"), None);
        assert!(!Texts::of("de").have_zones());
    }
}
