//! The three topics of the Pinterest pipeline, made up: posts, where they were posted, and who posted them.
//!
//! The values look like the real ones in shape, size, text and quirks, and are the same in every run and on every machine.

mod random;
#[rustfmt::skip]
mod words;

use std::collections::BTreeMap;

use jiff::{ToSpan, civil};
use random::Random;
use serde_json::json;

/// What a topic's name ends in, in the order in which the three values of a row are posted.
pub(crate) const TABLES: [&str; 3] = ["pin", "geo", "user"];

/// Rows of every table.
pub(crate) const ROWS: u32 = 11_001;
const POSTERS: u32 = 7_000;
const NO_POSTER: &str = "User Info Error";
const NO_IMAGE: &str = "Image src error.";
const NO_STORY: &str = "No description available Story format";
const NO_TAGS: &str = "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e";
const STORY: &str = "multi-video(story page format)";

/// 11,001 rows of the three tables, joined by their index.
pub(crate) struct Dataset {
    rows: Vec<Row>,
    posters: BTreeMap<u32, Poster>,
}

struct Row {
    kind: Kind,
    poster: u32,
    category: &'static str,
    posted: String,
    seed: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Nothing could be read of the page.
    Error,
    Story,
    Video,
    Image,
}

/// Users and places are functions of the poster: the smallest of what was drawn for each of its rows.
#[derive(Clone, PartialEq)]
struct Poster {
    first_name: &'static str,
    last_name: &'static str,
    age: u32,
    joined: String,
    latitude: f64,
    longitude: f64,
    country: &'static str,
}

impl Dataset {
    /// Makes the rows.
    pub(crate) fn new() -> Self {
        let mut random = Random::new(7528);
        let mut posters = BTreeMap::new();
        let mut rows = Vec::with_capacity(ROWS as usize);
        for index in 0..ROWS {
            let row = Row::draw(index, &mut random);
            let drawn = Poster::draw(&mut random);
            posters.entry(row.poster).and_modify(|poster: &mut Poster| poster.keep_smallest(&drawn)).or_insert(drawn);
            rows.push(row);
        }
        Self { rows, posters }
    }

    /// The values of a row: compact JSON in the order of [`TABLES`].
    pub(crate) fn posting(&self, index: u32) -> [String; 3] {
        if index == 7528 {
            return first_posting();
        }
        let row = &self.rows[index as usize];
        let poster = &self.posters[&row.poster];
        let geo = json!({
            "ind": index,
            "timestamp": row.posted,
            "latitude": poster.latitude,
            "longitude": poster.longitude,
            "country": poster.country,
        });
        let user = json!({
            "ind": index,
            "first_name": poster.first_name,
            "last_name": poster.last_name,
            "age": poster.age,
            "date_joined": poster.joined,
        });
        [row.pin(index), geo.to_string(), user.to_string()]
    }
}

/// The rows in the order in which the emulator posts them: for ever, some of them more than once.
pub(crate) struct Emulator(Random);

impl Emulator {
    /// The emulator's own seed.
    pub(crate) fn new() -> Self {
        Self(Random::new(100))
    }
}

impl Iterator for Emulator {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        // The emulator draws how long to sleep before it draws the row.
        let _pause = self.0.below(2);
        Some(self.0.below(ROWS))
    }
}

/// The row that the emulator posts first, as it stands in the published tables.
fn first_posting() -> [String; 3] {
    let pin = concat!(
        r#"{"index":7528,"unique_id":"fbe53c66-3442-4773-b19e-d3ec6f54dddf","title":"No Title Data Available","#,
        r#""description":"No description available Story format","poster_name":"User Info Error","#,
        r#""follower_count":"User Info Error","tag_list":"N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e","#,
        r#""is_image_or_video":"multi-video(story page format)","image_src":"Image src error.","downloaded":0,"#,
        r#""save_location":"Local save in /data/mens-fashion","category":"mens-fashion"}"#,
    );
    let geo = r#"{"ind":7528,"timestamp":"2020-08-28 03:52:47","latitude":-89.9787,"longitude":-173.293,"country":"Albania"}"#;
    let user = r#"{"ind":7528,"first_name":"Abigail","last_name":"Ali","age":20,"date_joined":"2015-10-24 11:23:51"}"#;
    [pin, geo, user].map(str::to_owned)
}

impl Row {
    fn draw(index: u32, random: &mut Random) -> Self {
        let kind = match random.below(1000) {
            0..8 => Kind::Error,
            8..71 => Kind::Story,
            71..98 => Kind::Video,
            _ => Kind::Image,
        };
        // A product of two draws: a few posters with many rows, many with one. All error rows share the poster 0.
        let poster = random.below(POSTERS) * random.below(1000) / 1000;
        let poster = if kind == Kind::Error { 0 } else { poster + 1 };
        let category = words::CATEGORIES.iter().rev().find(|(first, _)| *first <= index).map_or("art", |(_, name)| name);
        Self { kind, poster, category, posted: date(civil::date(2017, 10, 20), 5 * 365, random), seed: random.bits() }
    }

    fn pin(&self, index: u32) -> String {
        let random = &mut Random::new(self.seed);
        let is_error = self.kind == Kind::Error;
        let has_image = !is_error && (self.kind != Kind::Story || random.chance(750));
        let (title, poster_name) = match self.kind {
            Kind::Error => ("No Title Data Available".to_owned(), NO_POSTER.to_owned()),
            _ => (title(self.category, random), poster_name(self.poster)),
        };
        json!({
            "index": index,
            "unique_id": unique_id(random),
            "title": title,
            "description": self.description(random),
            "poster_name": poster_name,
            "follower_count": if is_error { NO_POSTER.to_owned() } else { follower_count(self.poster) },
            "tag_list": if is_error || random.chance(4) { NO_TAGS.to_owned() } else { tags(random) },
            "is_image_or_video": match self.kind { Kind::Error | Kind::Story => STORY, Kind::Video => "video", Kind::Image => "image" },
            "image_src": if has_image { image(self.kind, random) } else { NO_IMAGE.to_owned() },
            "downloaded": u8::from(has_image),
            "save_location": format!("Local save in /data/{}", self.category),
            "category": self.category,
        })
        .to_string()
    }

    fn description(&self, random: &mut Random) -> String {
        if matches!(self.kind, Kind::Error | Kind::Story) {
            return NO_STORY.to_owned();
        }
        if random.chance(17) {
            return "No description available".to_owned();
        }
        let is_cut = random.chance(400);
        let length = if is_cut { 178 } else { 60 + random.below(115) as usize };
        let mut text = capitalised(random.choice(&words::WORDS));
        while text.chars().count() < length {
            text.push_str(if random.chance(2) { "\n" } else { " " });
            match random.below(1000) {
                0..4 => text.push_str(random.choice(&words::FOREIGN_WORDS)),
                4..6 => text.push_str(&format!("\"{}\"", random.choice(&words::WORDS))),
                _ => text.push_str(random.choice(&words::WORDS)),
            }
        }
        if is_cut {
            text = text.chars().take(177).collect();
            text.push_str("…\u{a0}");
        }
        text
    }
}

impl Poster {
    fn draw(random: &mut Random) -> Self {
        Self {
            first_name: random.choice(&words::FIRST_NAMES),
            last_name: random.choice(&words::LAST_NAMES),
            age: 20 + random.below(41),
            joined: date(civil::date(2015, 10, 20), 2 * 365, random),
            latitude: degrees(90, random),
            longitude: degrees(180, random),
            country: random.choice(&words::COUNTRIES),
        }
    }

    fn keep_smallest(&mut self, other: &Self) {
        self.first_name = self.first_name.min(other.first_name);
        self.last_name = self.last_name.min(other.last_name);
        self.age = self.age.min(other.age);
        self.joined = self.joined.clone().min(other.joined.clone());
        self.latitude = self.latitude.min(other.latitude);
        self.longitude = self.longitude.min(other.longitude);
        self.country = self.country.min(other.country);
    }
}

fn title(category: &str, random: &mut Random) -> String {
    let mut title = format!("{} {}", 3 + random.below(97), capitalised(category));
    for _ in 0..3 + random.below(7) {
        let words = if random.chance(20) { &words::FOREIGN_WORDS[..] } else { &words::WORDS[..] };
        title.push(' ');
        title.push_str(&capitalised(random.choice(words)));
    }
    if random.chance(16) {
        title.push(' ');
        title.push_str(random.choice(&words::EMOJI));
    }
    title
}

fn poster_name(poster: u32) -> String {
    let random = &mut Random::new(poster);
    let names: Vec<_> = (0..2 + random.below(3)).map(|_| random.choice(&words::POSTER_WORDS)).collect();
    names.join(" ")
}

/// A function of the poster, larger for those with many rows.
fn follower_count(poster: u32) -> String {
    let random = &mut Random::new(poster);
    match random.below(1000) {
        _ if poster < 40 => format!("{}M", 1 + random.below(15)),
        0..175 => (1 + random.below(940)).to_string(),
        175..230 => format!("{}M", 1 + random.below(6)),
        _ => format!("{}k", 1 + random.below(985)),
    }
}

fn tags(random: &mut Random) -> String {
    let tags: Vec<_> = (0..9).map(|_| random.choice(&words::TAGS)).collect();
    tags.join(",")
}

fn unique_id(random: &mut Random) -> String {
    let mut bits = || random.bits();
    let (a, b, c, d) = (bits(), bits(), bits(), bits());
    let (b, c) = ((b & 0xffff_0fff) | 0x4000, (c & 0x3fff_ffff) | 0x8000_0000);
    format!("{a:08x}-{:04x}-{:04x}-{:04x}-{:04x}{d:08x}", b >> 16, b & 0xffff, c >> 16, c & 0xffff)
}

fn image(kind: Kind, random: &mut Random) -> String {
    let hash: String = (0..4).map(|_| format!("{:08x}", random.bits())).collect();
    let folders = format!("{}/{}/{}", &hash[..2], &hash[2..4], &hash[4..6]);
    match kind {
        Kind::Video => format!("https://i.pinimg.com/videos/thumbnails/originals/{folders}/{hash}.0000001.jpg"),
        _ => format!(
            "https://i.pinimg.com/originals/{folders}/{hash}.{}",
            random.choice(&["jpg", "jpg", "jpg", "png", "webp", "gif"])
        ),
    }
}

/// A moment within so many days of the first one: no zone, meant as UTC.
fn date(first: civil::Date, days: u32, random: &mut Random) -> String {
    let seconds = i64::from(random.below(days * 86_400));
    let moment = first.at(0, 0, 0, 0).saturating_add(seconds.seconds());
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Six significant digits: the tables hold single precision.
fn degrees(limit: u32, random: &mut Random) -> f64 {
    let drawn = (f64::from(random.bits()) / f64::from(u32::MAX) * 2.0 - 1.0) * f64::from(limit);
    format!("{drawn:.5e}").parse().unwrap_or_default()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulator_draws_the_rows_that_pythons_draws() {
        let rows: Vec<_> = Emulator::new().take(20).collect();
        let python = [
            7528, 2863, 5730, 8304, 8731, 1313, 4315, 10794, 5494, 5069, 2923, 3089, 6063, 3454, 7554, 6145, 10625, 2959, 9875,
            2418,
        ];
        assert_eq!(rows, python);
    }

    #[test]
    fn values_have_the_size_and_the_text_of_the_real_ones() {
        let dataset = Dataset::new();
        let pins: Vec<_> = (0..ROWS).map(|index| dataset.posting(index)[0].clone()).collect();
        let typical = pins.iter().filter(|pin| (640..=850).contains(&pin.len())).count();
        let foreign = pins.iter().filter(|pin| !pin.is_ascii()).count();
        let emoji = pins.iter().filter(|pin| pin.chars().any(|c| c > '\u{ffff}')).count();
        let shares = [typical, foreign, emoji].map(|count| count * 1000 / pins.len());
        assert!(shares[0] > 600 && (400..560).contains(&shares[1]) && (8..30).contains(&shares[2]), "per mille: {shares:?}");
    }

    #[test]
    fn one_poster_is_one_user_in_one_place() {
        let dataset = Dataset::new();
        let mut users = BTreeMap::new();
        for (index, row) in dataset.rows.iter().enumerate().filter(|(index, _)| *index != 7528) {
            let user = dataset.posting(u32::try_from(index).unwrap())[2].split_once(',').unwrap().1.to_owned();
            assert_eq!(*users.entry(row.poster).or_insert_with(|| user.clone()), user);
        }
    }
}
