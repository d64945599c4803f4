"""The reference of the command, from the command itself: ``.. command-help::``.

It asks the objects of the command for what ``--help`` prints. In newer versions of Typer they are copies of
click's under another name, which extensions for click refuse.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

from gaussmix.cli.app import app

NAME = "gaussmix"


def describe_command(command: Any, context: Any) -> list[nodes.Node]:
    """Help, usage, and a definition list of arguments and options."""
    usage = context.command.get_usage(context).removeprefix("Usage: ")
    paragraphs = [nodes.paragraph("", " ".join(text.split())) for text in (command.help or "").split("\n\n")]
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    items = [
        nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal("", spelling)),
            nodes.definition("", nodes.paragraph("", " ".join(text.split()))),
        )
        for spelling, text in filter(None, records)
    ]
    return [
        *paragraphs,
        nodes.literal_block(usage, usage),
        nodes.definition_list("", *items, classes=["options"]),
    ]


class CommandHelp(SphinxDirective):
    """A section for each subcommand."""

    def run(self) -> list[nodes.Node]:
        group = get_command(app)
        top = group.make_context(NAME, [], resilient_parsing=True)
        sections: list[nodes.Node] = []
        for name in group.list_commands(top):
            command = group.get_command(top, name)
            context = command.make_context(name, [], parent=top, resilient_parsing=True)
            section = nodes.section("", nodes.title("", f"{NAME} {name}"), ids=[f"{NAME}-{name}"])
            section += describe_command(command, context)
            sections.append(section)
        epilog = nodes.paragraph("", group.epilog or "")
        return [epilog, *sections]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
