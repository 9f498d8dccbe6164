//! Everything in the text of a generated verifier that can be taken away or weakened, found by reading it.

/// A change of one place in one line.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// Line, rule and place in the line.
    pub(crate) id: String,
    /// The line before and after, without its constants.
    pub(crate) removed: String,
    /// The line's index.
    line: usize,
    after: String,
}

impl Edit {
    /// The source with this change.
    pub(crate) fn apply(&self, source: &str) -> String {
        let lines = source.lines().enumerate();
        let lines = lines.map(|(index, line)| if index == self.line { self.after.as_str() } else { line });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    /// The line that is changed.
    pub(crate) fn line<'a>(&self, source: &'a str) -> &'a str {
        source.lines().nth(self.line).unwrap_or_default()
    }

    /// The line behind it.
    pub(crate) fn line_after<'a>(&self, source: &'a str) -> &'a str {
        source.lines().nth(self.line + 1).unwrap_or_default()
    }

    /// The rule that changes it.
    pub(crate) fn rule(&self) -> &str {
        self.id.split('/').nth(1).unwrap_or_default()
    }
}

/// A name and the ways in which a rule changes a line.
type Rule = (&'static str, fn(&str) -> Vec<String>);

/// What is done to every line of the contract.
const RULES: [Rule; 8] = [
    ("never-refuses", never_refuses),
    ("holds-always", holds_always),
    ("forgets", forgets),
    ("success-ignored", success_ignored),
    ("not-reduced", not_reduced),
    ("constant", constant),
    ("chain", chain),
    ("deleted", deleted),
];

/// All changes of a verifier's source, in the order of its lines.
pub(crate) fn edits(source: &str) -> Vec<Edit> {
    let start = source.lines().position(|line| line.starts_with("contract ")).unwrap();
    let mut edits = Vec::new();
    for (line, text) in source.lines().enumerate().skip(start) {
        let code = text.split("//").next().unwrap_or_default();
        let declared = ["error ", "function ", "uint256 ", "int256 ", "string ", "bool ", "bytes32 "];
        if declared.iter().any(|word| code.trim_start().starts_with(word)) && code.contains([';', '{']) {
            // Declarations of constants: `self_check` compares them with the program.
            if !code.contains("constant") {
                continue;
            }
        }
        for (rule, change) in RULES {
            for (place, after) in change(code).into_iter().enumerate() {
                let removed = format!("{} → {}", short(code), short(&after));
                edits.push(Edit { id: format!("{}/{rule}/{place}", line - start), removed, line, after });
            }
        }
    }
    edits
}

/// A line without indentation, and with constants of a program cut short: the table stays when proofs are made anew.
fn short(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.trim();
    while let Some(at) = rest.find("0x") {
        let digits = rest[at + 2..].chars().take_while(char::is_ascii_hexdigit).count();
        let end = at + 2 + digits;
        text.push_str(&rest[..at]);
        text.push_str(if digits > 16 { "0x…" } else { &rest[at..end] });
        rest = &rest[end..];
    }
    text + rest
}

/// End of the call whose opening parenthesis is at `open`.
fn closing(line: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, byte) in line.bytes().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// Each call of `name` in a line, from its first to its last byte.
fn calls(line: &str, name: &str) -> Vec<(usize, usize)> {
    let pattern = format!("{name}(");
    let starts = line.match_indices(&pattern).filter(|(at, _)| {
        // `lt(` is no end of another name.
        !line[..*at].ends_with(|before: char| before.is_ascii_alphanumeric())
    });
    starts.filter_map(|(at, _)| Some((at, closing(line, at + name.len())?))).collect()
}

fn replace(line: &str, (from, to): (usize, usize), by: &str) -> String {
    format!("{}{by}{}", &line[..from], &line[to + 1..])
}

/// The branch of a check is never taken.
fn never_refuses(line: &str) -> Vec<String> {
    let code = line.trim_start();
    if code.starts_with("if (") && code.contains("revert") {
        return vec![String::new()];
    }
    let indent = &line[..line.len() - code.len()];
    if code == "if iszero(and(" {
        return vec![format!("{indent}if and(0, and(")];
    }
    let Some(condition) = code.strip_prefix("if ") else { return vec![] };
    let open = condition.find('(').unwrap_or_default();
    let end = closing(condition, open).map_or(0, |end| end + 1);
    if code.starts_with("if (") || end == 0 {
        vec![]
    } else {
        vec![format!("{indent}if 0{}", &condition[end..])]
    }
}

/// Each comparison of a check is true; the heads of loops are none.
fn holds_always(line: &str) -> Vec<String> {
    let body =
        if line.trim_start().starts_with("for ") { line.rfind("{ if").unwrap_or(line.len()) } else { 0 };
    let all = ["lt", "eq", "gt"].into_iter().flat_map(|name| calls(line, name));
    all.filter(|(at, _)| *at >= body).map(|call| replace(line, call, "1")).collect()
}

/// What was found before, or what a call said, no longer counts.
fn forgets(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let right =
        line.find(":=").unwrap_or_else(|| if line.trim_start().starts_with("if ") { 0 } else { line.len() });
    for name in ["ok", "done"] {
        for (at, _) in line.match_indices(name).filter(|(at, _)| *at > right) {
            let word = |side: Option<char>| side.is_some_and(|c| c.is_ascii_alphanumeric());
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            if !word(before.chars().next_back())
                && !word(after.chars().next())
                && !line.contains(&format!("iszero({name})"))
            {
                all.push(format!("{before}1{after}"));
            }
        }
    }
    all
}

/// A call counts as successful.
fn success_ignored(line: &str) -> Vec<String> {
    let call =
        |(from, to): (usize, usize)| replace(line, (from, to), &format!("or(1, {})", &line[from..=to]));
    calls(line, "staticcall").into_iter().map(call).collect()
}

/// A sum or a hash is not reduced.
fn not_reduced(line: &str) -> Vec<String> {
    let inner = |(from, to): (usize, usize)| {
        let argument = line[from + 4..to].rsplit_once(", ").map_or("0", |(argument, _)| argument);
        replace(line, (from, to), argument)
    };
    calls(line, "mod").into_iter().map(inner).collect()
}

/// The last bit of a 256-bit constant is another.
fn constant(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (at, _) in line.match_indices("0x") {
        let digits: String = line[at + 2..].chars().take_while(char::is_ascii_hexdigit).collect();
        if digits.len() > 48 {
            let end = at + 1 + digits.len();
            let last = u8::from_str_radix(&line[end..=end], 16).unwrap() ^ 1;
            all.push(replace(line, (end, end), &format!("{last:x}")));
        }
    }
    all
}

/// A chain is no longer a test chain, and one more is.
fn chain(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    if !line.contains("revert UnsafeSetup") {
        return all;
    }
    for (at, _) in line.match_indices("id != ") {
        let end = line[at + 6..].find(|c: char| !c.is_ascii_digit()).map_or(line.len(), |n| at + 6 + n);
        all.push(replace(line, (at, end - 1), "true"));
    }
    all
}

/// A statement is left out.
fn deleted(line: &str) -> Vec<String> {
    let code = line.trim();
    let writes = ["mstore(", "mstore8(", "calldatacopy(", "revert", "fail", "if (index"];
    let assigns = code.contains(":=")
        && !code.starts_with("let ")
        && !code.starts_with("for ")
        && !code.starts_with("if ");
    let whole = writes.iter().any(|write| code.starts_with(write)) || assigns;
    if whole && !code.ends_with('{') { vec![String::new()] } else { vec![] }
}
