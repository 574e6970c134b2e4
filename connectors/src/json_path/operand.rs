//! What is compared, and how: as `ValueNode` and `EvaluatorFactory` of JsonPath do it.

use std::{borrow::Cow, cmp::Ordering};

use connect_api::{JavaRegex, data::Value};

use super::{
    Failure,
    evaluate::Evaluation,
    item::Item,
    predicate::{Literal, Operator},
};

/// A number: whole ones are exact.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    /// That of a text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let looks_like_one = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        if !looks_like_one {
            return None;
        }
        text.parse().map(Self::Whole).or_else(|_not_whole| text.parse().map(Self::Real)).ok()
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            (left, right) => left.real().partial_cmp(&right.real()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "only for a comparison with a number that is not whole")]
    fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }

    fn text(self) -> String {
        let value = match self {
            Self::Whole(number) => Value::Int64(number),
            Self::Real(number) => Value::Float64(number),
        };
        value.scalar_text().unwrap_or_default().into_owned()
    }
}

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
            Literal::Number(number) => Self::Number(*number),
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
            other => {
                let text = other.scalar_text();
                let number = text.and_then(|text| Number::parse(&text)).or_else(|| other.epoch_millis().map(Number::Whole));
                number.map_or(Self::Undefined, Self::Number)
            }
        }
    }

    /// What `length()` says of it.
    pub(super) fn length(self) -> Self {
        let whole = |length: usize| Self::Number(Number::Whole(i64::try_from(length).unwrap_or(i64::MAX)));
        self.size().map_or(Self::Undefined, whole)
    }

    /// How many elements, members, or (as in Java) UTF-16 units.
    fn size(&self) -> Option<usize> {
        match self {
            Self::String(text) => Some(text.encode_utf16().count()),
            _ => self.elements().map(|elements| elements.len()).or_else(|| match self {
                Self::Container(item) => Some(item.children().len()),
                _ => None,
            }),
        }
    }

    /// The elements of a list.
    fn elements(&self) -> Option<Vec<Node<'a>>> {
        match self {
            Self::List(literals) => Some(literals.iter().map(Node::of_literal).collect()),
            Self::Items(items) => Some(items.iter().cloned().map(Node::of_item).collect()),
            Self::Container(item) if item.is_array() => Some(item.children().into_iter().map(Node::of_item).collect()),
            _ => None,
        }
    }

    /// Whether the whole text matches; of a list, that of any element.
    pub(super) fn is_matched_by(&self, regex: &JavaRegex) -> Result<bool, Failure> {
        let matches = |text: &str| regex.matches(text).map_err(Failure::Regex);
        match (self.elements(), self) {
            (Some(elements), _) => {
                for element in elements {
                    if matches(&element.text())? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (None, node) => matches(&node.text()),
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
        for side in [self.container(), right.container()].into_iter().flatten() {
            evaluation.spend(side)?;
        }
        let ordered = |accepts: fn(Ordering) -> bool| self.order(right).is_some_and(accepts);
        let is_in = |node: &Node<'_>, list: &[Node<'_>]| list.iter().any(|element| element.equals(node));
        let sets = match operator {
            Operator::SubsetOf | Operator::AnyOf | Operator::NoneOf | Operator::All => self.elements().zip(right.elements()),
            _ => None,
        };
        if let Some((left, right)) = &sets {
            evaluation.spend_steps(left.len().saturating_mul(right.len()))?;
        }
        Ok(match operator {
            Operator::Equal => self.equals(right),
            Operator::NotEqual => !self.equals(right),
            Operator::Same => self.is_of_type_of(right) && self.equals(right),
            Operator::NotSame => !(self.is_of_type_of(right) && self.equals(right)),
            Operator::Less => ordered(Ordering::is_lt),
            Operator::LessOrEqual => ordered(Ordering::is_le),
            Operator::Greater => ordered(Ordering::is_gt),
            Operator::GreaterOrEqual => ordered(Ordering::is_ge),
            Operator::Matches => false,
            Operator::In => right.elements().is_some_and(|list| is_in(self, &list)),
            Operator::NotIn => !right.elements().is_some_and(|list| is_in(self, &list)),
            Operator::SubsetOf => sets.is_some_and(|(left, right)| left.iter().all(|element| is_in(element, &right))),
            Operator::AnyOf => sets.is_some_and(|(left, right)| left.iter().any(|element| is_in(element, &right))),
            Operator::NoneOf => sets.is_some_and(|(left, right)| !left.iter().any(|element| is_in(element, &right))),
            Operator::All => sets.is_some_and(|(left, right)| right.iter().all(|element| is_in(element, &left))),
            Operator::Contains => match (self, right) {
                (Self::String(left), Node::String(right)) => left.contains(&**right),
                (left, right) => left.elements().is_some_and(|list| is_in(right, &list)),
            },
            Operator::Size => {
                matches!(right, Node::Number(Number::Whole(size)) if self.size().is_some_and(|own| i64::try_from(own) == Ok(*size)))
            }
            Operator::Empty => matches!(right, Node::Boolean(empty) if self.size().is_some_and(|size| (size == 0) == *empty)),
        })
    }

    fn container(&self) -> Option<&Item<'a>> {
        match self {
            Self::Container(item) => Some(item),
            _ => None,
        }
    }

    /// As JsonPath: a number equals its text. What is not defined equals nothing, and objects equal nothing here.
    fn equals(&self, other: &Node<'_>) -> bool {
        match (self, other) {
            (Self::Null, Node::Null) => true,
            (Self::Boolean(left), Node::Boolean(right)) => left == right,
            (Self::Number(left), Node::Number(right)) => left.compare(*right) == Some(Ordering::Equal),
            (Self::Number(number), Node::String(text)) => {
                Number::parse(text).is_some_and(|other| number.compare(other) == Some(Ordering::Equal))
            }
            (Self::String(text), Node::Number(number)) => **text == *number.text(),
            (Self::String(left), Node::String(right)) => left == right,
            (left, right) => match (left.elements(), right.elements()) {
                // Elements that are lists themselves equal nothing: no condition writes them, and a record may nest them deep.
                (Some(left), Some(right)) => {
                    let is_flat = |node: &Node<'_>| node.elements().is_none();
                    left.len() == right.len()
                        && left.iter().zip(&right).all(|(left, right)| is_flat(left) && is_flat(right) && left.equals(right))
                }
                _ => false,
            },
        }
    }

    fn order(&self, other: &Node<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(left), Node::Number(right)) => left.compare(*right),
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
