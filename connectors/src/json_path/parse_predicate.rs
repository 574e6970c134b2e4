//! Texts to conditions.

use connect_api::JavaRegex;

use super::{
    operand::Number,
    parse::Parser,
    predicate::{Literal, Operand, OperandPath, Operator, Predicate},
};

/// Operators that are signs, the longer ones first.
const SIGNS: &[(&str, Operator)] = &[
    ("===", Operator::Same),
    ("!==", Operator::NotSame),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("=~", Operator::Matches),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Operators that are words, in any case.
const WORDS: &[(&str, Operator)] = &[
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("subsetof", Operator::SubsetOf),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("all", Operator::All),
    ("contains", Operator::Contains),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
];

/// Conditions with `||` between them.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn any(parser: &mut Parser) -> Result<Predicate, String> {
    joined(parser, "||", all, Predicate::Any)
}

fn all(parser: &mut Parser) -> Result<Predicate, String> {
    joined(parser, "&&", one, Predicate::All)
}

fn joined(
    parser: &mut Parser,
    sign: &str,
    each: fn(&mut Parser) -> Result<Predicate, String>,
    join: fn(Vec<Predicate>) -> Predicate,
) -> Result<Predicate, String> {
    let first = each(parser)?;
    let mut predicates = vec![first];
    loop {
        parser.blanks();
        if !parser.accept(sign) {
            break;
        }
        predicates.push(each(parser)?);
    }
    match predicates.pop() {
        Some(only) if predicates.is_empty() => Ok(only),
        last => {
            predicates.extend(last);
            Ok(join(predicates))
        }
    }
}

fn one(parser: &mut Parser) -> Result<Predicate, String> {
    parser.blanks();
    if parser.accept("!") {
        parser.deeper()?;
        let negated = one(parser)?;
        parser.back();
        return Ok(Predicate::Not(Box::new(negated)));
    }
    if parser.accept("(") {
        parser.deeper()?;
        let inner = any(parser)?;
        parser.blanks();
        if !parser.accept(")") {
            return Err(parser.error("expected )"));
        }
        parser.back();
        return Ok(inner);
    }
    let left = operand(parser)?;
    parser.blanks();
    let Some(operator) = operator(parser)? else {
        return match left {
            Operand::Path(path) if !path.length && !matches!(parser.peek(), Some('=' | '~')) => Ok(Predicate::Exists(path)),
            _ => Err(parser.error("expected an operator (==, !=, <, <=, >, >=, =~, in, nin, contains, size, empty)")),
        };
    };
    parser.blanks();
    let right = operand(parser)?;
    let is_pattern = |operand: &Operand| matches!(operand, Operand::Pattern(_));
    if (is_pattern(&left) || is_pattern(&right)) != (operator == Operator::Matches) || is_pattern(&left) && is_pattern(&right) {
        return Err(parser.error("a regular expression between slashes goes with =~, and =~ with one"));
    }
    Ok(Predicate::Comparison(left, operator, right))
}

fn operator(parser: &mut Parser) -> Result<Option<Operator>, String> {
    if let Some((_, operator)) = SIGNS.iter().find(|(sign, _)| parser.accept(sign)) {
        return Ok(Some(*operator));
    }
    let mut word = String::new();
    while let Some(letter) = parser.peek().filter(char::is_ascii_alphabetic) {
        word.push(letter.to_ascii_lowercase());
        parser.next();
    }
    match WORDS.iter().find(|(known, _)| **known == *word) {
        _ if word.is_empty() => Ok(None),
        Some((_, operator)) => Ok(Some(*operator)),
        None => Err(parser.error(&format!("{word} is no operator"))),
    }
}

fn operand(parser: &mut Parser) -> Result<Operand, String> {
    match parser.peek() {
        Some(start @ ('@' | '$')) => {
            parser.next();
            let tokens = parser.tokens()?;
            operand_path(parser, start == '$', tokens)
        }
        Some('/') => pattern(parser),
        _ => literal(parser).map(Operand::Literal),
    }
}

/// A path, and the function behind it.
fn operand_path(parser: &mut Parser, from_root: bool, mut tokens: Vec<super::predicate::Token>) -> Result<Operand, String> {
    let mut length = false;
    if parser.accept("(") {
        let name = match tokens.pop() {
            Some(super::predicate::Token::Property(mut names)) => names.pop().unwrap_or_default(),
            _ => String::new(),
        };
        parser.blanks();
        if !matches!(name.as_str(), "length" | "size") || !parser.accept(")") {
            return Err(parser.error(&format!("the function {name}() is not supported; length() and size() are")));
        }
        length = true;
    }
    Ok(Operand::Path(OperandPath { from_root, tokens, length }))
}

/// `/…/`, and flags of Java behind it. A slash within stands behind a backslash.
fn pattern(parser: &mut Parser) -> Result<Operand, String> {
    parser.next();
    let mut regex = String::new();
    loop {
        match parser.next() {
            None => return Err(parser.error("a regular expression has no closing slash")),
            Some('/') => break,
            Some('\\') => match parser.next() {
                Some('/') => regex.push('/'),
                Some(escaped) => regex.extend(['\\', escaped]),
                None => return Err(parser.error("a regular expression has no closing slash")),
            },
            Some(character) => regex.push(character),
        }
    }
    let mut flags = String::new();
    while let Some(flag) = parser.peek().filter(char::is_ascii_alphabetic) {
        if !"idmsuxU".contains(flag) {
            return Err(parser.error(&format!("{flag} is no flag of regular expressions")));
        }
        flags.push(flag);
        parser.next();
    }
    let java = if flags.is_empty() { regex } else { format!("(?{flags}){regex}") };
    JavaRegex::new(&java).map(|regex| Operand::Pattern(Box::new(regex))).map_err(|reason| parser.error(&reason))
}

fn literal(parser: &mut Parser) -> Result<Literal, String> {
    parser.blanks();
    match parser.peek() {
        Some('\'' | '"') => parser.string().map(Literal::String),
        Some('[') => {
            parser.next();
            parser.blanks();
            if parser.accept("]") {
                return Ok(Literal::List(Vec::new()));
            }
            parser.deeper()?;
            let items = parser.list(literal)?;
            parser.back();
            if parser.accept("]") { Ok(Literal::List(items)) } else { Err(parser.error("expected ] at the end of the list")) }
        }
        _ => word(parser),
    }
}

fn word(parser: &mut Parser) -> Result<Literal, String> {
    let mut word = String::new();
    while let Some(character) = parser.peek().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
        word.push(character);
        parser.next();
    }
    match word.as_str() {
        "null" => Ok(Literal::Null),
        "true" => Ok(Literal::Boolean(true)),
        "false" => Ok(Literal::Boolean(false)),
        _ => match Number::parse(&word) {
            Some(number) => Ok(Literal::Number(number)),
            None if word.is_empty() => Err(parser.error("expected a path, a number, a text in quotes, true, false or null")),
            None => Err(parser.error(&format!("{word} is no value: texts stand in quotes"))),
        },
    }
}
