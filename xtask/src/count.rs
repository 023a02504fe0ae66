//! How many tests passed: the result formats of every language's runner, reduced to three numbers.

use std::ops::AddAssign;

use crate::error::Result;

/// What a runner reported. Skipped tests are never counted as passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that ran and passed.
    pub passed: usize,
    /// Tests that ran and failed, and whatever broke before it could report.
    pub failed: usize,
    /// Tests that did not run.
    pub skipped: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Count {
    /// One check that either holds or does not.
    pub fn one(holds: bool) -> Count {
        Count { passed: holds.into(), failed: (!holds).into(), skipped: 0 }
    }

    /// The count of a part past which the others run: what cannot run is a failure, which is said.
    pub fn or_failed(count: Result<Count>) -> Count {
        count.unwrap_or_else(|error| {
            println!("error: {error}");
            Count::one(false)
        })
    }

    /// What a runner's numbers are worth: one that reports no test, or fails without naming one, has failed once.
    pub fn settled(mut self, success: bool) -> Count {
        if self.failed == 0 && (!success || self.passed == 0) {
            self.failed = 1;
        }
        self
    }

    /// The sum of `cargo test`'s `test result:` lines. A test program that began and printed no result has crashed,
    /// which is one failure.
    pub fn from_cargo(text: &str) -> Count {
        let mut sum = Count::default();
        let mut running = false;
        for line in text.lines() {
            if line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")) {
                sum.failed += usize::from(running);
                running = true;
            } else if let Some(result) = line.split_once("test result: ").map(|(_, result)| result) {
                running = false;
                sum += Count {
                    passed: number_before(result, " passed"),
                    failed: number_before(result, " failed"),
                    skipped: number_before(result, " ignored"),
                };
            }
        }
        sum.failed += usize::from(running);
        sum
    }

    /// The last line of the form `N passed, N failed[, N skipped]`: what our own test programs print.
    pub fn from_plain(text: &str) -> Option<Count> {
        text.lines().rev().find_map(|line| {
            let mut parts = line.trim().split(", ");
            let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
            let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
            let skipped = match parts.next() {
                Some(part) => part.strip_suffix(" skipped")?.parse().ok()?,
                None => 0,
            };
            Some(Count { passed, failed, skipped })
        })
    }

    /// The sums at the end of a TAP report, such as node:test's: `# pass 3`.
    pub fn from_tap(text: &str) -> Count {
        let last = |key: &str| {
            let number = |line: &str| line.strip_prefix("# ")?.strip_prefix(key)?.trim().parse().ok();
            text.lines().rev().find_map(number).unwrap_or(0)
        };
        Count { passed: last("pass "), failed: last("fail ") + last("cancelled "), skipped: last("skipped ") }
    }

    /// The sum over the test suites of a JUnit XML report, such as pytest's.
    pub fn from_junit(xml: &str) -> Count {
        let mut sum = Count::default();
        for suite in xml.split("<testsuite ").skip(1) {
            let tag = suite.split('>').next().unwrap_or_default();
            let failed = attribute(tag, "failures") + attribute(tag, "errors");
            let skipped = attribute(tag, "skipped");
            let passed = attribute(tag, "tests").saturating_sub(failed + skipped);
            sum += Count { passed, failed, skipped };
        }
        sum
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn attribute(tag: &str, name: &str) -> usize {
    let value = tag.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split('"').next());
    value.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(passed: usize, failed: usize, skipped: usize) -> Count {
        Count { passed, failed, skipped }
    }

    #[test]
    fn tap_results_are_the_sums_at_the_end() {
        let text = "TAP version 13\nok 1 - a\nnot ok 2 - b\n1..3\n# tests 5\n# pass 2\n# fail 1\n# cancelled 1\n\
                    # skipped 1\n# todo 0\n# duration_ms 12\n";
        assert_eq!(Count::from_tap(text), count(2, 2, 1));
        assert_eq!(Count::from_tap("crashed").settled(false), count(0, 1, 0));
    }

    #[test]
    fn cargo_results_are_summed_over_programs() {
        let text = "running 2 tests\ntest a ... ok\n\ntest result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; \
                    0 filtered out; finished in 0.00s\n\n   Doc-tests mxr\n\nrunning 1 test\n\
                    test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out\n";
        assert_eq!(Count::from_cargo(text), count(42, 1, 3));
    }

    #[test]
    fn a_rust_test_program_that_dies_without_a_result_is_a_failure() {
        let first = "running 5 tests\nerror: process didn't exit successfully (signal: 11, SIGSEGV)\n";
        let second = "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        assert_eq!(Count::from_cargo(&format!("{first}{second}")), count(1, 1, 0));
        assert_eq!(Count::from_cargo(&format!("{second}{first}")), count(1, 1, 0));
    }

    #[test]
    fn plain_results_are_the_last_such_line() {
        assert_eq!(
            Count::from_plain("1 passed, 0 failed\nnoise\n7 passed, 2 failed\n\n"),
            Some(count(7, 2, 0))
        );
        assert_eq!(Count::from_plain("7 passed, 2 failed, 4 skipped"), Some(count(7, 2, 4)));
        assert_eq!(Count::from_plain("all well"), None);
        assert_eq!(Count::from_plain("many passed, 2 failed"), None);
    }

    #[test]
    fn junit_counts_errors_as_failures_and_skipped_as_neither() {
        let xml = r#"<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1"
            failures="2" skipped="3" tests="10" time="0.1"><testcase name="a &gt; b"/></testsuite></testsuites>"#;
        assert_eq!(Count::from_junit(xml), count(4, 3, 3));
        assert_eq!(Count::from_junit(""), Count::default());
    }

    #[test]
    fn silence_and_unexplained_failure_count_as_one_failure() {
        assert_eq!(Count::default().settled(true), count(0, 1, 0));
        assert_eq!(count(0, 0, 9).settled(true), count(0, 1, 9));
        assert_eq!(count(5, 0, 0).settled(false), count(5, 1, 0));
        assert_eq!(count(5, 2, 0).settled(false), count(5, 2, 0));
        assert_eq!(count(5, 0, 1).settled(true), count(5, 0, 1));
    }
}
