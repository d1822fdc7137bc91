package dev.sluice.cli.explain;

import java.util.Arrays;

/// Characters in rows and columns, drawn over each other. What lies outside is cut. Used by one thread.
final class Canvas {
    private final char[][] cells;

    Canvas(int width, int height) {
        cells = new char[height][width];
        for (char[] row : cells) {
            Arrays.fill(row, ' ');
        }
    }

    void put(int x, int y, char one) {
        if (y >= 0 && y < cells.length && x >= 0 && x < cells[y].length) {
            cells[y][x] = one;
        }
    }

    void text(int x, int y, String text) {
        for (int i = 0; i < text.length(); i++) {
            put(x + i, y, text.charAt(i));
        }
    }

    /// From one column to another, both included, in either order.
    void across(int x1, int x2, int y, char one) {
        for (int x = Math.min(x1, x2); x <= Math.max(x1, x2); x++) {
            put(x, y, one);
        }
    }

    void down(int x, int y1, int y2, char one) {
        for (int y = Math.min(y1, y2); y <= Math.max(y1, y2); y++) {
            put(x, y, one);
        }
    }

    /// A frame with its label in the middle.
    void box(int x, int y, int width, int height, boolean solid, String label) {
        across(x, x + width - 1, y, solid ? '─' : '╌');
        across(x, x + width - 1, y + height - 1, solid ? '─' : '╌');
        down(x, y, y + height - 1, solid ? '│' : '╎');
        down(x + width - 1, y, y + height - 1, solid ? '│' : '╎');
        put(x, y, '╭');
        put(x + width - 1, y, '╮');
        put(x, y + height - 1, '╰');
        put(x + width - 1, y + height - 1, '╯');
        text(x + (width - label.length()) / 2, y + height / 2, label);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (char[] row : cells) {
            text.append(new String(row).stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
