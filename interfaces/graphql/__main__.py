"""Writes schema.graphql: `python -m interfaces.graphql`."""

from pathlib import Path

from interfaces.graphql.schema import sdl

SDL = Path(__file__).with_name("schema.graphql")

if __name__ == "__main__":
    SDL.write_text(sdl(), "utf-8")
