use super::*;
use crate::index::MetadataColumn;

fn column(name: &str, texts: &[&str]) -> MetadataColumn {
    MetadataColumn { name: name.to_owned(), values: texts.iter().copied().collect() }
}

fn fitted(texts: &[&str], categories: &[&str]) -> Result<MetadataEncoder, MetadataError> {
    let rows: Vec<u32> = (0..texts.len() as u32).collect();
    let categories: Vec<String> = categories.iter().map(|&name| name.to_owned()).collect();
    MetadataEncoder::fit(&[column("c", texts)], &rows, &categories)
}

/// The numbers of some texts, and what is said of them.
fn encoded(encoder: &MetadataEncoder, texts: &[&str]) -> (Vec<f32>, String) {
    let (mut numbers, mut gaps) = (Vec::new(), Gaps::new(encoder));
    texts.iter().for_each(|&text| encoder.encode([text], &mut numbers, &mut gaps));
    assert_eq!(numbers.len(), texts.len() * encoder.width());
    assert_eq!(gaps.is_empty(), gaps.to_string().is_empty());
    (numbers, gaps.to_string())
}

#[test]
fn numbers_are_standardised_as_by_scikit_learn() {
    // scikit-learn 1.9.1: StandardScaler().fit([[63], [nan], [20.5], [0], [80]]): mean_ 40.875, scale_ 32.03977021;
    // transform([[63], [nan], [20.5], [100]]): 0.6905480237893732, nan, -0.6359284060885189, 1.8453627980360086.
    let encoder = fitted(&["63", "", "20.5", "0.0", " 8e1"], &[]).unwrap();
    let [ColumnEncoder::Number { mean, std, missing: true, .. }] = encoder.columns() else { panic!("{encoder:?}") };
    assert!((mean - 40.875).abs() < 1e-12 && (std - 32.03977021).abs() < 1e-8, "{mean} {std}");
    let (numbers, said) = encoded(&encoder, &["63", "NaN", "20.5", "100", "old"]);
    let wanted = [0.6905480237893732, 0.0, 0.0, 1.0, -0.6359284060885189, 0.0, 1.8453627980360086, 0.0, 0.0, 1.0];
    assert_eq!(numbers, wanted.map(|number: f64| number as f32));
    let wanted = "\"c\" is missing in 1 of 5 rows; \"c\" is \"old\" in 1 of 5 rows, which no training row was";
    assert_eq!(said, wanted);
}

#[test]
fn texts_become_a_number_a_level_as_by_scikit_learn() {
    // OneHotEncoder(handle_unknown="ignore").fit([["male"], ["female"], ["unknown"], ["male"]]).transform(..).toarray().
    let encoder = fitted(&["male", "female", "unknown", "male"], &[]).unwrap();
    let (numbers, said) = encoded(&encoder, &["unknown", "divers", "female", "", "n.a."]);
    assert_eq!(numbers, [[0., 0., 1.], [0., 0., 0.], [1., 0., 0.], [0., 0., 0.], [0., 0., 0.]].concat());
    assert!(said.ends_with("\"c\" is in 2 of 5 rows what no training row was, such as \"divers\""), "{said}");
    // Where training rows lack it, what is missing or unknown has a number of its own.
    let encoder = fitted(&["b", "", "a"], &[]).unwrap();
    assert_eq!(encoded(&encoder, &["a", "", "c"]).0, [1., 0., 0., 0., 0., 1., 0., 0., 1.]);
}

#[test]
fn what_kind_a_column_is_follows_from_its_training_rows() {
    for (texts, categories, width) in [
        (&["1", "2", "2", ""][..], &[][..], 2),
        (&["1", "2", "2"], &[], 1),
        (&["1", "2", "2"], &["c"], 2),
        (&["1", "2", "inf"], &[], 3),
        (&["7", "7", "7"], &[], 1),
        (&["1", "NA", "-1.5e3"], &[], 2),
    ] {
        assert_eq!(fitted(texts, categories).unwrap().width(), width, "{texts:?}");
    }
    // Rows of other parts decide nothing.
    let columns = [column("age", &["1", "old", "3"]), column("sex", &["f", "divers", "m"])];
    let encoder = MetadataEncoder::fit(&columns, &[0, 2], &[]).unwrap();
    assert_eq!(
        encoder.columns()[0],
        ColumnEncoder::Number { column: "age".into(), mean: 2.0, std: 1.0, missing: false }
    );
    assert_eq!(encoder.width(), 3);
}

#[test]
fn numbers_stay_finite() {
    let constant = fitted(&["7", "7.0", "7"], &[]).unwrap();
    assert_eq!(encoded(&constant, &["7", "8", "1e300", "-1e300"]).0, [0.0, 1.0, 1e4, -1e4]);
    // Their sum is rounded; so little is no difference.
    let nearly = fitted(&["0.1", "0.1", "0.1"], &[]).unwrap();
    assert!(matches!(&nearly.columns()[0], ColumnEncoder::Number { std: 1.0, .. }), "{nearly:?}");
    let huge = fitted(&["1e308", "1e308", "-1e308"], &[]).unwrap();
    assert!(encoded(&huge, &["1e308", "-1e308", "1"]).0.iter().all(|number| number.is_finite()));
}

#[test]
fn columns_that_cannot_be_used_are_named() {
    let many: Vec<String> = (0..300).map(|n| format!("HAM_{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let nearly: Vec<String> = (0..300).map(|n| if n == 7 { "7 years".to_owned() } else { n.to_string() }).collect();
    let nearly: Vec<&str> = nearly.iter().map(String::as_str).collect();
    for (texts, wanted) in [
        (&["", "NA"][..], "the column \"c\" is empty in all 2 training rows"),
        (&many, "the column \"c\" has 300 different texts in the training rows, and at most 256 can be categories"),
        (&nearly, "can be categories; it is no column of numbers because of \"7 years\""),
    ] {
        let error = fitted(texts, &[]).unwrap_err().to_string();
        assert!(error.ends_with(wanted), "{error}");
    }
    assert_eq!(MetadataEncoder::fit(&[], &[0], &[]), Err(MetadataError::NoColumns));
}

#[test]
fn an_encoder_comes_back_as_it_was_and_a_damaged_one_does_not() {
    let columns =
        [column("age", &["1", "3", ""]), column("sex", &["m", "f", "f"]), column("size", &["63", "0.1", "1e-7"])];
    let encoder = MetadataEncoder::fit(&columns, &[0, 1, 2], &[]).unwrap();
    let text = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<MetadataEncoder>(&text).unwrap(), encoder);
    for (from, to, wanted) in [
        ("\"std\":1.0", "\"std\":0.0", "standardise nothing"),
        (r#"["f","m"]"#, r#"["m","f"]"#, "not sorted"),
        (r#"["f","m"]"#, "[]", "has 0 levels"),
        (r#""kind":"number""#, r#""kind":"date""#, "unknown variant `date`"),
        (r#""levels""#, r#""other":1,"levels""#, "unknown field `other`"),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from}");
        let error = serde_json::from_str::<MetadataEncoder>(&damaged).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    assert!(serde_json::from_str::<MetadataEncoder>("[]").is_err());
}
