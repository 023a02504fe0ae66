//! A lexer for Rust that knows just enough to tell code from comments and literals.

/// A source file taken apart line by line; columns are not kept.
#[derive(Debug, Default)]
pub struct Scan {
    /// Each line's code; a string or character literal is reduced to its quotes.
    pub code: Vec<String>,
    /// Each line's comments.
    pub comments: Vec<String>,
}

/// A word or a single punctuation mark of the code, with the number of its line, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its line, from 0.
    pub line: usize,
}

impl Scan {
    /// Takes `source` apart.
    pub fn new(source: &str) -> Scan {
        let mut reader = Reader { text: source.chars().collect(), at: 0, scan: Scan::default() };
        reader.newline();
        reader.read();
        reader.scan
    }

    /// The code as tokens; `::` is one token.
    pub fn tokens(&self) -> Vec<Token<'_>> {
        let mut tokens = Vec::new();
        for (line, code) in self.code.iter().enumerate() {
            let mut rest = code.trim_start();
            while let Some(first) = rest.chars().next() {
                let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let length = match word {
                    0 if rest.starts_with("::") => 2,
                    0 => first.len_utf8(),
                    n => n,
                };
                tokens.push(Token { text: &rest[..length], line });
                rest = rest[length..].trim_start();
            }
        }
        tokens
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    scan: Scan,
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn newline(&mut self) {
        self.scan.code.push(String::new());
        self.scan.comments.push(String::new());
    }

    /// Moves over one character, adding it to the code, to the comments or to neither.
    fn take(&mut self, into: Option<fn(&mut Scan) -> &mut Vec<String>>) {
        let c = self.peek(0);
        self.at += 1;
        if c == '\n' {
            self.newline();
        } else if let Some(last) = into.and_then(|lines| lines(&mut self.scan).last_mut()) {
            last.push(c);
        }
    }

    fn code(&mut self) {
        self.take(Some(|scan| &mut scan.code));
    }

    fn comment(&mut self) {
        self.take(Some(|scan| &mut scan.comments));
    }

    fn read(&mut self) {
        while self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '/') => self.line_comment(),
                ('/', '*') => self.block_comment(),
                ('"', _) => self.string(),
                ('r', '"' | '#') if !self.after_word() && self.raw_hashes(1).is_some() => self.raw_string(1),
                ('b' | 'c', 'r') if !self.after_word() && self.raw_hashes(2).is_some() => self.raw_string(2),
                ('\'', _) => self.quote(),
                _ => self.code(),
            }
        }
    }

    /// Whether the character before belongs to a word, as the last letter of `bar"` would.
    fn after_word(&self) -> bool {
        self.at > 0 && matches!(self.text[self.at - 1], c if c.is_alphanumeric() || c == '_')
    }

    fn line_comment(&mut self) {
        while self.at < self.text.len() && self.peek(0) != '\n' {
            self.comment();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.comment();
                    continue;
                }
            }
            self.comment();
            self.comment();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.code();
        while self.at < self.text.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                self.take(None);
            }
            self.take(None);
        }
        self.code();
    }

    /// The number of `#` between here plus `skip` and a quote; none where no raw string begins.
    fn raw_hashes(&self, skip: usize) -> Option<usize> {
        let hashes = (0..).take_while(|&n| self.peek(skip + n) == '#').count();
        (self.peek(skip + hashes) == '"').then_some(hashes)
    }

    fn raw_string(&mut self, prefix: usize) {
        let hashes = self.raw_hashes(prefix).unwrap_or(0);
        for _ in 0..prefix + hashes {
            self.take(None);
        }
        self.code();
        let closes = |reader: &Reader| reader.peek(0) == '"' && (1..=hashes).all(|n| reader.peek(n) == '#');
        while self.at < self.text.len() && !closes(self) {
            self.take(None);
        }
        self.code();
        for _ in 0..hashes {
            self.take(None);
        }
    }

    /// A character literal, or the quote of a lifetime or label.
    fn quote(&mut self) {
        self.code();
        if self.peek(0) == '\\' {
            self.take(None);
            self.take(None);
            while self.at < self.text.len() && self.peek(0) != '\'' {
                self.take(None);
            }
            self.code();
        } else if self.peek(1) == '\'' {
            self.take(None);
            self.code();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let scan =
            Scan::new("let a = \"unsafe // {\"; // unsafe\n/* a /* b */ c\n d */ let 'b' = r#\"x\"y\"#;\n");
        assert_eq!(scan.code, ["let a = \"\"; ", "", " let '' = \"\";", ""]);
        assert_eq!(scan.comments, ["// unsafe", "/* a /* b */ c", " d */", ""]);
    }

    #[test]
    fn lifetimes_escapes_and_byte_strings_end_where_they_end() {
        let scan = Scan::new(r#"fn f<'a>(x: &'a u8) { g('\'', '"', '\u{1F600}', b"\"", br"\"); h }"#);
        assert_eq!(scan.code, [r#"fn f<'a>(x: &'a u8) { g('', '', '', b"", ""); h }"#]);
    }

    #[test]
    fn lines_are_kept_inside_long_literals() {
        let scan = Scan::new("let a = \"one\n two \\\n three\";\nlast");
        assert_eq!(scan.code, ["let a = \"", "", "\";", "last"]);
    }

    #[test]
    fn tokens_are_words_and_marks() {
        let scan = Scan::new("use crate::op::{A};\nx!()");
        let texts: Vec<_> = scan.tokens().iter().map(|token| (token.text, token.line)).collect();
        let expected =
            [("use", 0), ("crate", 0), ("::", 0), ("op", 0), ("::", 0), ("{", 0), ("A", 0), ("}", 0)];
        assert_eq!(texts[..8], expected);
        assert_eq!(texts[8..], [(";", 0), ("x", 1), ("!", 1), ("(", 1), (")", 1)]);
    }
}
