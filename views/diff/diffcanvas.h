// The lines of one file's unified diff, painted by itself: old and new numbers, marks, syntax colours and word marks. Only
// visible lines are laid out, so that 50,000 lines open and scroll like fifty. Lines are selected whole. GUI thread.
#pragma once

#include "views/diff/unifieddiff.h"

#include <QAbstractScrollArea>
#include <QHash>
#include <QTextLayout>
#include <memory>

namespace foundry::views {

class CodeHighlighter;
class ThemeProvider;

class DiffCanvas : public QAbstractScrollArea {
    Q_OBJECT
public:
    DiffCanvas(ThemeProvider *theme, CodeHighlighter *highlighter, QWidget *parent = nullptr);
    ~DiffCanvas() override;

    void setPath(const QString &path); // names the language; empties the canvas
    void appendUnified(const QString &unified);
    // The same file, read anew: the place stays.
    void replaceUnified(const QString &unified);
    const UnifiedDiff &diff() const { return m_diff; }

    void goToChange(bool next);
    int currentLine() const { return m_current; }
    QString selectedText() const;
    static constexpr int lineHeight = 20;

Q_SIGNALS:
    void currentChangeChanged(int change, int changes); // 1-based; 0: before the first

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    struct Chunk { // colours of a run of lines, made of the text of each side
        QHash<int, int> starts; // line → where it begins in its side's text
        QList<QTextLayout::FormatRange> oldColors;
        QList<QTextLayout::FormatRange> newColors;
    };

    void updateMeasures();
    void updateScrollBars();
    void setCurrent(int line, bool extend);
    void reveal(int line);
    int lineAt(int y) const;
    const Chunk &chunkOf(int line);
    const QTextLayout &layoutOf(int line);
    void paintLine(QPainter &painter, int line, int top);

    ThemeProvider *m_theme;
    CodeHighlighter *m_highlighter;
    QString m_slotPrefix;
    QString m_path;
    UnifiedDiff m_diff;
    QHash<int, std::shared_ptr<QTextLayout>> m_layouts;
    QHash<int, Chunk> m_chunks;
    int m_current = -1;
    int m_mark = -1; // the other end of the selection
    int m_numberWidth = 40;
    qreal m_charWidth = 8;
};

} // namespace foundry::views
