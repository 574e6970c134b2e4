//! The parts of a path, and conditions.

use connect_api::JavaRegex;

use super::{
    Failure,
    evaluate::Evaluation,
    item::Item,
    operand::{Node, Number},
};

/// A step of a path.
#[derive(Debug)]
pub(super) enum Token {
    /// `.a`, `['a']`, `['a','b']`
    Property(Vec<String>),
    /// `.*`, `[*]`
    Wildcard,
    /// `..`, before another token
    Scan,
    /// `[0]`, `[-1]`, `[0,2]`
    Index(Vec<i64>),
    /// `[1:3]`, `[:2]`, `[-2:]`
    Slice(Option<i64>, Option<i64>),
    /// `[?(…)]`
    Filter(Predicate),
}

impl Token {
    /// Whether it leads to one value at most. `is_last`: several names at the end of a path make one object.
    pub(super) fn is_definite(&self, is_last: bool) -> bool {
        match self {
            Self::Property(names) => names.len() == 1 || is_last,
            Self::Index(indexes) => indexes.len() == 1,
            Self::Wildcard | Self::Scan | Self::Slice(..) | Self::Filter(_) => false,
        }
    }
}

/// A condition.
#[derive(Debug)]
pub(super) enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// A path alone: whether it leads to anything, be it null.
    Exists(OperandPath),
    Comparison(Operand, Operator, Operand),
}

/// A path in a condition.
#[derive(Debug)]
pub(super) struct OperandPath {
    /// Whether it begins with `$`, and not with `@`.
    pub(super) from_root: bool,
    pub(super) tokens: Vec<Token>,
    /// Whether it ends with `.length()`.
    pub(super) length: bool,
}

/// What is compared.
#[derive(Debug)]
pub(super) enum Operand {
    Path(OperandPath),
    Literal(Literal),
    /// `/…/`
    Pattern(Box<JavaRegex>),
}

/// A value as it is written in a condition.
#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Number(Number),
    String(String),
    List(Vec<Literal>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    /// Of the same type, and equal.
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    SubsetOf,
    AnyOf,
    NoneOf,
    All,
    Contains,
    Size,
    Empty,
}

impl Predicate {
    /// Whether it holds of a value.
    ///
    /// # Errors
    /// Those of [`Evaluation::walk`], but for what is missing: that is a value that is not defined.
    pub(super) fn holds<'a>(&'a self, evaluation: &Evaluation<'a>, item: &Item<'a>) -> Result<bool, Failure> {
        match self {
            Self::All(predicates) => {
                for predicate in predicates {
                    if !predicate.holds(evaluation, item)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(predicates) => {
                for predicate in predicates {
                    if predicate.holds(evaluation, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(predicate) => Ok(!predicate.holds(evaluation, item)?),
            Self::Exists(path) => Ok(path.find(evaluation, item)?.is_some()),
            Self::Comparison(left, operator, right) => match (left, right) {
                (Operand::Pattern(regex), other) | (other, Operand::Pattern(regex)) => {
                    Ok(*operator == Operator::Matches && other.node(evaluation, item)?.is_matched_by(regex, evaluation)?)
                }
                (left, right) => left.node(evaluation, item)?.compare(*operator, &right.node(evaluation, item)?, evaluation),
            },
        }
    }
}

impl OperandPath {
    /// What it leads to: the last of what there is, or all of it where there may be several.
    fn find<'a>(&'a self, evaluation: &Evaluation<'a>, item: &Item<'a>) -> Result<Option<Vec<Item<'a>>>, Failure> {
        let start = if self.from_root { evaluation.root() } else { item.clone() };
        let mut found = Vec::new();
        let walked = evaluation.walk(&self.tokens, true, start, &mut |item| {
            found.push(item);
            false
        });
        match walked {
            Err(Failure::Missing | Failure::NotAContainer) => Ok(None),
            Err(failure) => Err(failure),
            Ok(_) if found.is_empty() => Ok(None),
            Ok(_) => Ok(Some(found)),
        }
    }

    fn is_definite(&self) -> bool {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.iter().enumerate().all(|(at, token)| token.is_definite(at == last))
    }
}

impl Operand {
    fn node<'a>(&'a self, evaluation: &Evaluation<'a>, item: &Item<'a>) -> Result<Node<'a>, Failure> {
        Ok(match self {
            Self::Literal(literal) => Node::of_literal(literal),
            // Alone it is compared with nothing.
            Self::Pattern(_) => Node::Undefined,
            Self::Path(path) => {
                let found = path.find(evaluation, item)?;
                let node = match found {
                    _ if !path.is_definite() => Node::Items(found.unwrap_or_default()),
                    None => Node::Undefined,
                    Some(mut found) => found.pop().map_or(Node::Undefined, Node::of_item),
                };
                if path.length { node.length(evaluation)? } else { node }
            }
        })
    }
}
