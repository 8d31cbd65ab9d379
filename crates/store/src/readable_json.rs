//! JSON that people can read and that stays small.

use serde_json::Value;

/// What is longer than this in one line is broken into lines.
const LINE: usize = 120;

/// A value is on one line where it fits, and arrays of plain values always are: a confusion matrix of 151 classes has
/// 151 lines, not 22,801. What is broken is indented by two spaces.
pub(crate) fn draw(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value, 0);
    text.push('\n');
    text
}

fn push(text: &mut String, value: &Value, depth: usize) {
    let line = in_one_line(value);
    match value {
        Value::Object(members) if line.len() > LINE => {
            let members = members.iter().map(|(name, member)| (Some(name), member));
            push_lines(text, ['{', '}'], members, depth);
        }
        Value::Array(items) if line.len() > LINE && items.iter().any(|item| item.is_array() || item.is_object()) => {
            push_lines(text, ['[', ']'], items.iter().map(|item| (None, item)), depth);
        }
        _ => text.push_str(&line),
    }
}

fn in_one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(name, member): (&String, &Value)| format!("{}: {}", quoted(name), in_one_line(member));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(in_one_line).collect::<Vec<_>>().join(", ")),
        plain => plain.to_string(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn push_lines<'a>(
    text: &mut String,
    [open, close]: [char; 2],
    parts: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
    depth: usize,
) {
    text.push(open);
    for (i, (name, part)) in parts.enumerate() {
        text.push_str(if i == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            text.push_str(&quoted(name));
            text.push_str(": ");
        }
        push(text, part, depth + 1);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_value_is_the_same_value() {
        let row: Vec<u64> = (0..60).collect();
        let value = serde_json::json!({
            "short": {"a": 1, "b": [1, 2]}, "rows": [row, row], "empty": {}, "none": [], "te\"xt\n": "x".repeat(120),
            "numbers": [0.1, 1e300, -0.0, u64::MAX], "null": null,
        });
        let text = draw(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(text.lines().count(), 12);
    }
}
