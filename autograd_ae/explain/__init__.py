"""Derivations and computation graphs as text, LaTeX, HTML with MathML, SVG, Mermaid and DOT."""
