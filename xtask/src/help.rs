//! `cargo xtask help`, from the table of commands and the list of stages.

use crate::COMMANDS;
use crate::bail;
use crate::error::Result;
use crate::stages::STAGES;

/// `help [COMMAND]`.
pub fn command(args: &[String]) -> Result {
    match args {
        [] => print!("{}", overview()),
        [name] => print!("{}", explain(name)?),
        _ => bail!("help: one command at a time"),
    }
    Ok(())
}

fn overview() -> String {
    let mut text = String::from("Everything there is to do in this repository:\n\n");
    for command in COMMANDS {
        text += &format!("  cargo xtask {:<40} {}\n", command.usage, command.about);
    }
    text += "\nThey need Rust, Python 3.11 or newer with venv, Node with npm and a C and C++ compiler, and set up the\n\
             rest under target/. `cargo xtask help COMMAND` says more; nothing that CI runs is not here.\n";
    text
}

fn explain(name: &str) -> Result<String> {
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        bail!("there is no command `{name}`; see cargo xtask help");
    };
    let mut text = format!("cargo xtask {}\n\n{}\n", command.usage, sentence(command.about));
    if !command.details.is_empty() {
        text += &format!("\n{}\n", command.details);
    }
    if name == "test" {
        text += "\nStages:\n";
        for stage in STAGES {
            text += &format!("  {:<14} {}\n", stage.name, stage.about);
        }
    }
    Ok(text)
}

/// The one line of the list as a sentence of its own.
fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_listed_and_explained() {
        for command in COMMANDS {
            assert!(command.usage.starts_with(command.name));
            assert!(overview().contains(command.usage));
            assert!(explain(command.name).unwrap().contains(command.usage));
        }
        assert!(explain("nothing").unwrap_err().to_string().contains("no command `nothing`"));
    }

    #[test]
    fn the_help_of_test_lists_every_stage() {
        let text = explain("test").unwrap();
        assert!(STAGES.iter().all(|stage| text.contains(stage.about)));
    }
}
