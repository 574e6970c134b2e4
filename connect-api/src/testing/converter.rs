//! The contract of [`Converter`]: one function per clause.

use bytes::Bytes;

use crate::{Converter, ErrorKind, data::Value};

/// Every clause, for some inputs. At least one of them should be data, and one should be none where the converter refuses any.
///
/// # Panics
/// Where a clause does not hold.
pub fn keeps_the_contract(converter: &dyn Converter, inputs: &[Bytes]) {
    null_is_a_null_value(converter);
    equal_bytes_give_equal_data(converter, inputs);
    refused_bytes_are_data_errors(converter, inputs);
    several_threads_may_convert_at_once(converter, inputs);
}

/// No bytes are a null value and never reach a parser.
///
/// # Panics
/// Where it is an error or a value.
pub fn null_is_a_null_value(converter: &dyn Converter) {
    let data = converter.to_connect_data("topic", &[], None);
    assert!(data.as_ref().is_ok_and(|data| matches!(data.value, Value::Null)), "null became {data:?}");
}

/// The result depends on the bytes and on nothing else.
///
/// # Panics
/// Where two conversions of the same bytes differ.
pub fn equal_bytes_give_equal_data(converter: &dyn Converter, inputs: &[Bytes]) {
    for input in inputs {
        let copy = Bytes::copy_from_slice(input);
        assert_eq!(outcome(converter, input), outcome(converter, &copy), "{input:?} was converted in two ways");
    }
}

/// What cannot be read is a fault of the record.
///
/// # Panics
/// Where the error is of another kind.
pub fn refused_bytes_are_data_errors(converter: &dyn Converter, inputs: &[Bytes]) {
    for input in inputs {
        let kind = converter.to_connect_data("topic", &[], Some(input)).err().map(|error| error.kind());
        assert!(matches!(kind, None | Some(ErrorKind::Data)), "{input:?} failed as {kind:?}");
    }
}

/// Converters keep nothing of one call for the next.
///
/// # Panics
/// Where a thread gets another result than its neighbours.
pub fn several_threads_may_convert_at_once(converter: &dyn Converter, inputs: &[Bytes]) {
    let all = || inputs.iter().map(|input| outcome(converter, input)).collect::<Vec<_>>();
    let alone = all();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(all)).collect();
        for thread in threads {
            assert_eq!(thread.join().ok(), Some(alone.clone()));
        }
    });
}

fn outcome(converter: &dyn Converter, bytes: &Bytes) -> String {
    format!("{:?}", converter.to_connect_data("topic", &[], Some(bytes)))
}
