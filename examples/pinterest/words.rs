//! What made-up rows are made of.

/// Categories with the first row of each; rows of one category are contiguous.
pub(crate) const CATEGORIES: [(u32, &str); 13] = [
    (0, "art"),
    (893, "beauty"),
    (1636, "christmas"),
    (2636, "diy-and-crafts"),
    (3467, "education"),
    (4330, "event-planning"),
    (5077, "finance"),
    (5865, "home-decor"),
    (6726, "mens-fashion"),
    (7580, "quotes"),
    (8483, "tattoos"),
    (9460, "travel"),
    (10310, "vehicles"),
];

pub(crate) const WORDS: [&str; 56] = [
    "ideas", "easy", "best", "summer", "winter", "small", "modern", "vintage", "simple", "beautiful", "cozy", "free", "printable",
    "garden", "kitchen", "wall", "wooden", "paper", "canvas", "colour", "budget", "planner", "classroom", "wedding", "party",
    "weekend", "guide", "tips", "tricks", "inspiration", "outfit", "street", "style", "minimal", "black", "white", "golden", "road",
    "trip", "beach", "mountain", "island", "classic", "car", "motorcycle", "sketch", "flower", "sleeve", "makeup", "skin", "care",
    "savings", "debt", "homemade", "gift", "tree",
];

/// Words outside ASCII, inside the Basic Multilingual Plane.
pub(crate) const FOREIGN_WORDS: [&str; 16] = [
    "café", "décor", "Weihnachtsbäume", "jalapeño", "“diy”", "it’s", "–", "été", "Größe", "niño", "façade", "crème", "東京", "красота",
    "모던", "naïve",
];

/// Characters outside the Basic Multilingual Plane.
pub(crate) const EMOJI: [&str; 8] = ["😍", "🎄", "✈️🌍", "💄", "🚗", "🏡", "💰", "🎨"];

pub(crate) const TAGS: [&str; 32] = [
    "Christmas Tree", "Travel Photography", "Home Decor Ideas", "Diy Crafts", "Mens Fashion", "Quotes To Live By", "Small Tattoos",
    "Dream Cars", "Saving Money", "Kids Education", "Beauty Hacks", "Wall Art", "Event Decor", "Street Style", "Winter Outfits",
    "Beach Trip", "Road Trip", "Living Room", "Kitchen Design", "Motorcycle", "Budgeting", "Classroom Ideas", "Party Favors",
    "Wedding Table", "Sketches", "Watercolor", "Skin Care Routine", "Handmade Gifts", "Minimalist", "Vintage", "Printables",
    "Life Quotes",
];

pub(crate) const POSTER_WORDS: [&str; 24] = [
    "The", "Home", "Craft", "Style", "Daily", "Happy", "Blog", "Studio", "Journal", "House", "Garden", "Planet", "Nomad", "Money",
    "Mama", "Gentleman", "Ink", "Garage", "Teacher", "Beauty", "Corner", "Co.", "Magazine", "& More",
];

pub(crate) const FIRST_NAMES: [&str; 32] = [
    "Aaron", "Abigail", "Adam", "Adrian", "Aimee", "Alan", "Alex", "Alicia", "Amanda", "Amber", "Andrea", "Andrew", "Anthony", "Barbara",
    "Brian", "Caitlin", "Carol", "Christopher", "Daniel", "David", "Elizabeth", "Eric", "Heather", "James", "Jennifer", "John", "Kevin",
    "Lisa", "Michael", "Rachel", "Sarah", "William",
];

pub(crate) const LAST_NAMES: [&str; 28] = [
    "Acosta", "Adams", "Aguilar", "Alexander", "Ali", "Allen", "Alvarado", "Anderson", "Andrews", "Bailey", "Baker", "Barnes", "Bell",
    "Brown", "Campbell", "Clark", "Davis", "Garcia", "Hall", "Johnson", "Jones", "Lee", "Martinez", "Miller", "Smith", "Taylor",
    "Williams", "Wright",
];

pub(crate) const COUNTRIES: [&str; 48] = [
    "Afghanistan", "Albania", "Algeria", "American Samoa", "Andorra", "Angola", "Anguilla",
    "Antarctica (the territory South of 60 deg S)", "Antigua and Barbuda", "Argentina", "Armenia", "Aruba", "Australia", "Azerbaijan",
    "Bahamas", "Bangladesh", "Barbados", "Bolivia", "Bouvet Island (Bouvetoya)", "British Indian Ocean Territory (Chagos Archipelago)",
    "Bulgaria", "Burkina Faso", "Cambodia", "Chile", "Cocos (Keeling) Islands", "Colombia", "Cote d'Ivoire", "Croatia", "Egypt",
    "Falkland Islands (Malvinas)", "France", "Germany", "Guinea-Bissau", "Holy See (Vatican City State)", "Iceland", "India", "Japan",
    "Kenya", "Mexico", "Nepal", "Norway", "Peru", "Slovakia (Slovak Republic)", "Svalbard & Jan Mayen Islands", "Tonga", "Uruguay",
    "Vietnam", "Zimbabwe",
];
