//! What is compared, and how: as `ValueNode` and `EvaluatorFactory` of JsonPath do it.

use std::{
    borrow::Cow,
    cmp::{Ordering, Reverse},
};

use connect_api::{
    JavaRegex,
    data::{Decimal, Value},
};

use super::{
    Failure,
    evaluate::Evaluation,
    item::{Item, text_steps},
    predicate::{Literal, Operator},
};

/// A number. As JsonPath has a `BigDecimal` of each, only what came as a double is one.
#[derive(Clone, Debug)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
    /// With all digits, and the double that is next to it.
    Exact(Decimal, f64),
}

impl Number {
    /// That of a text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        /// No JSON has longer ones; longer texts count as doubles, since all digits of a megabyte take seconds.
        const LONGEST: usize = 1_024;
        let looks_like_one = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        if !looks_like_one {
            return None;
        }
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let real = text.parse().ok()?;
        let exact = if text.len() <= LONGEST { text.parse().ok() } else { None };
        Some(exact.map_or(Self::Real(real), |exact| Self::Exact(exact, real)))
    }

    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int64(number) => Some(Self::Whole(*number)),
            Value::Float64(number) => Some(Self::Real(*number)).filter(|_| number.is_finite()),
            Value::Float32(number) if !number.is_finite() => None,
            // The double of its text, as on the JVM: 0.1 is 0.1.
            Value::Float32(_) => value.scalar_text()?.parse().ok().map(Self::Real),
            _ => value.scalar_text().and_then(|text| Self::parse(&text)).or_else(|| value.epoch_millis().map(Self::Whole)),
        }
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(right)),
            // Of different doubles the numbers that they were made of differ in the same direction.
            (left, right) => Some(left.real().partial_cmp(&right.real())?.then_with(|| match (left.digits(), right.digits()) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => Ordering::Equal,
            })),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "where the doubles are equal, the digits are compared")]
    fn real(&self) -> f64 {
        match self {
            Self::Whole(number) => *number as f64,
            Self::Real(number) | Self::Exact(_, number) => *number,
        }
    }

    /// Where the point stands, and the digits from the first one that is not zero; `None` of a double. Only numbers with equal doubles, and so with equal signs,
    /// are compared by it.
    fn digits(&self) -> Option<Digits> {
        let (unscaled, scale) = match self {
            Self::Whole(number) => (number.to_string(), 0),
            Self::Real(_) => return None,
            Self::Exact(number, _) => (Decimal::new(number.unscaled().clone(), 0).to_string(), i64::from(number.scale())),
        };
        let digits = unscaled.trim_start_matches('-');
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - scale;
        let significant = digits.trim_end_matches('0').to_owned();
        Some(match (significant.as_str(), unscaled.starts_with('-')) {
            ("", _) => Digits::Zero,
            (_, false) => Digits::Positive(point, significant),
            (_, true) => Digits::Negative(Reverse((point, significant))),
        })
    }

    /// As `BigDecimal.toString()`.
    fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Exact(number, _) => number.to_string(),
            Self::Real(number) => {
                let text = Value::Float64(*number).scalar_text().unwrap_or_default().into_owned();
                text.parse().map(|exact: Decimal| exact.to_string()).unwrap_or(text)
            }
        }
    }
}

/// The digits of a number, ordered as numbers are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Digits {
    Negative(Reverse<(i64, String)>),
    Zero,
    Positive(i64, String),
}

/// Whether an operator holds of two lists.
type OfLists<'o> = &'o dyn Fn(&[Node<'_>], &[Node<'_>]) -> Result<bool, Failure>;

/// One side of a comparison.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// A path that leads nowhere.
    Undefined,
    Null,
    Boolean(bool),
    Number(Number),
    String(Cow<'a, str>),
    /// An object or an array.
    Container(Item<'a>),
    /// What a path leads to that may lead to several values.
    Items(Vec<Item<'a>>),
    /// A list that is written in the condition.
    List(&'a [Literal]),
}

impl<'a> Node<'a> {
    pub(super) fn of_literal(literal: &'a Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Boolean(value) => Self::Boolean(*value),
            Literal::Number(number) => Self::Number(number.clone()),
            Literal::String(text) => Self::String(Cow::Borrowed(text)),
            Literal::List(literals) => Self::List(literals),
        }
    }

    pub(super) fn of_item(item: Item<'a>) -> Self {
        let Some(value) = item.scalar() else { return Self::Container(item) };
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::String(text) => Self::String(Cow::Owned(text.to_string())),
            other => Number::of(other).map_or(Self::Undefined, Self::Number),
        }
    }

    /// What `length()` says of it.
    pub(super) fn length(self, evaluation: &Evaluation<'_>) -> Result<Self, Failure> {
        let whole = |length: usize| Self::Number(Number::Whole(i64::try_from(length).unwrap_or(i64::MAX)));
        evaluation.spend_steps(self.steps())?;
        Ok(self.size().map_or(Self::Undefined, whole))
    }

    /// How many elements, members, or (as in Java) UTF-16 units.
    fn size(&self) -> Option<usize> {
        match self {
            Self::String(text) => Some(text.encode_utf16().count()),
            Self::List(literals) => Some(literals.len()),
            Self::Items(items) => Some(items.len()),
            Self::Container(item) => Some(item.len()),
            _ => None,
        }
    }

    fn is_list(&self) -> bool {
        match self {
            Self::List(_) | Self::Items(_) => true,
            Self::Container(item) => item.is_array(),
            _ => false,
        }
    }

    /// The elements of a list.
    fn elements(&self, evaluation: &Evaluation<'_>) -> Result<Option<Vec<Node<'a>>>, Failure> {
        evaluation.spend_steps(self.steps())?;
        let elements: Vec<_> = match self {
            Self::List(literals) => literals.iter().map(Node::of_literal).collect(),
            Self::Items(items) => items.iter().cloned().map(Node::of_item).collect(),
            Self::Container(item) if item.is_array() => item.children().map(Node::of_item).collect(),
            _ => return Ok(None),
        };
        evaluation.spend_steps(elements.len())?;
        Ok(Some(elements))
    }

    /// Whether the whole text matches; of a list, that of any element.
    pub(super) fn is_matched_by(&self, regex: &JavaRegex, evaluation: &Evaluation<'_>) -> Result<bool, Failure> {
        let matches = |text: &str| {
            evaluation.spend_match(text)?;
            regex.matches(text).map_err(Failure::Regex)
        };
        match self.elements(evaluation)? {
            Some(elements) => any(&elements, |element| matches(&element.text())),
            None => matches(&self.text()),
        }
    }

    /// How many steps it is to look through it, beyond the one for the comparison.
    fn steps(&self) -> usize {
        match self {
            Self::String(text) => text_steps(text),
            Self::Container(item) => item.steps(),
            Self::Items(items) => items.len(),
            Self::List(literals) => literals.len(),
            Self::Undefined | Self::Null | Self::Boolean(_) | Self::Number(_) => 0,
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.text()),
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            _ => Cow::Borrowed(""),
        }
    }

    /// Whether the comparison holds.
    pub(super) fn compare(&self, operator: Operator, right: &Node<'_>, evaluation: &Evaluation<'_>) -> Result<bool, Failure> {
        evaluation.spend_steps(self.steps().saturating_add(right.steps()))?;
        let equals = || self.equals(right, evaluation);
        let ordered = |accepts: fn(Ordering) -> bool| Ok(self.order(right).is_some_and(accepts));
        // In this direction, as Java's `contains` does it: a text among numbers is compared with their texts.
        let is_in = |node: &Node<'_>, list: &[Node<'_>]| any(list, |element| node.equals(element, evaluation));
        let is_in_right = || right.elements(evaluation)?.map_or(Ok(false), |list| is_in(self, &list));
        let sets = |holds: OfLists<'_>| {
            let (Some(left), Some(right)) = (self.elements(evaluation)?, right.elements(evaluation)?) else { return Ok(false) };
            evaluation.spend_steps(left.len().saturating_mul(right.len()))?;
            holds(&left, &right)
        };
        let all_in = |nodes: &[Node<'_>], list: &[Node<'_>]| Ok(!any(nodes, |node| Ok(!is_in(node, list)?))?);
        match operator {
            Operator::Equal => equals(),
            Operator::NotEqual => Ok(!equals()?),
            Operator::Same => Ok(self.is_of_type_of(right) && equals()?),
            Operator::NotSame => Ok(!(self.is_of_type_of(right) && equals()?)),
            Operator::Less => ordered(Ordering::is_lt),
            Operator::LessOrEqual => ordered(Ordering::is_le),
            Operator::Greater => ordered(Ordering::is_gt),
            Operator::GreaterOrEqual => ordered(Ordering::is_ge),
            Operator::Matches => Ok(false),
            Operator::In => is_in_right(),
            Operator::NotIn => Ok(!is_in_right()?),
            Operator::SubsetOf => sets(&all_in),
            Operator::AnyOf => sets(&|left, right| any(left, |element| is_in(element, right))),
            Operator::NoneOf => sets(&|left, right| Ok(!any(left, |element| is_in(element, right))?)),
            Operator::All => sets(&|left, right| all_in(right, left)),
            Operator::Contains => match (self, right) {
                (Self::String(left), Node::String(right)) => Ok(left.contains(&**right)),
                (left, right) => left.elements(evaluation)?.map_or(Ok(false), |list| is_in(right, &list)),
            },
            Operator::Size => Ok(
                matches!(right, Node::Number(Number::Whole(size)) if self.size().is_some_and(|own| i64::try_from(own) == Ok(*size))),
            ),
            Operator::Empty => Ok(matches!(right, Node::Boolean(empty) if self.size().is_some_and(|size| (size == 0) == *empty))),
        }
    }

    /// As JsonPath: a number equals its text. What is not defined equals nothing, and objects equal nothing here.
    fn equals(&self, other: &Node<'_>, evaluation: &Evaluation<'_>) -> Result<bool, Failure> {
        evaluation.spend_steps(1)?;
        // Before anything is counted or read: the one that is a list may have a million elements.
        if self.is_list() != other.is_list() {
            return Ok(false);
        }
        evaluation.spend_steps(self.steps().saturating_add(other.steps()))?;
        Ok(match (self, other) {
            (Self::Null, Node::Null) => true,
            (Self::Boolean(left), Node::Boolean(right)) => left == right,
            (Self::Number(left), Node::Number(right)) => left.compare(right) == Some(Ordering::Equal),
            (Self::Number(number), Node::String(text)) => {
                Number::parse(text).is_some_and(|other| number.compare(&other) == Some(Ordering::Equal))
            }
            (Self::String(text), Node::Number(number)) => **text == *number.text(),
            (Self::String(left), Node::String(right)) => left == right,
            (left, right) if left.is_list() && right.is_list() && left.size() == right.size() => {
                let (left, right) = (left.elements(evaluation)?, right.elements(evaluation)?);
                let pairs: Vec<_> = left.into_iter().flatten().zip(right.into_iter().flatten()).collect();
                // Elements that are lists themselves equal nothing: no condition writes them, and a record may nest them deep.
                let differ = |(left, right): &(Node<'_>, Node<'_>)| {
                    Ok(left.is_list() || right.is_list() || !left.equals(right, evaluation)?)
                };
                !any(&pairs, differ)?
            }
            _ => false,
        })
    }

    fn order(&self, other: &Node<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(left), Node::Number(right)) => left.compare(right),
            (Self::String(_) | Self::Number(_), Node::String(_) | Node::Number(_)) => {
                Some(self.text().encode_utf16().cmp(other.text().encode_utf16()))
            }
            _ => None,
        }
    }

    fn is_of_type_of(&self, other: &Node<'_>) -> bool {
        matches!(
            (self, other),
            (Self::Null, Node::Null)
                | (Self::Boolean(_), Node::Boolean(_))
                | (Self::Number(_), Node::Number(_))
                | (Self::String(_), Node::String(_))
                | (Self::Container(_) | Self::Items(_) | Self::List(_), Node::Container(_) | Node::Items(_) | Node::List(_))
        )
    }
}

/// Whether it holds of any of them.
fn any<T>(all: &[T], holds: impl Fn(&T) -> Result<bool, Failure>) -> Result<bool, Failure> {
    for one in all {
        if holds(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}
