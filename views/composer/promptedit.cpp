#include "views/composer/promptedit.h"

#include "views/common/themeprovider.h"

#include <QFontMetrics>
#include <QKeyEvent>
#include <QTextBlock>

#include <algorithm>
#include <cmath>

namespace foundry::views {

PromptEdit::PromptEdit(ThemeProvider *theme, QWidget *parent)
    : LongTextEdit(parent)
    , m_theme(theme)
{
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setTabChangesFocus(true);
    setFont(theme->font(TextStyle::Reading));
    setBackgroundVisible(false);
    viewport()->setAutoFillBackground(false);
    document()->setDocumentMargin(0);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(theme, &ThemeProvider::changed, this, [this] { setFont(m_theme->font(TextStyle::Reading)); });
    connect(document(), &QTextDocument::contentsChanged, this, &PromptEdit::fitHeight);
    fitHeight();
}

QSize PromptEdit::sizeHint() const
{
    // Visual lines, wrapped ones too. Long texts need no counting to the end.
    int lines = 0;
    for (QTextBlock block = document()->begin(); block.isValid() && lines < mostLines; block = block.next())
        lines += block.layout() ? std::max(1, block.layout()->lineCount()) : 1;
    lines = std::clamp(lines, 1, mostLines);
    return {200, int(std::ceil(QFontMetricsF(font()).lineSpacing() * lines)) + 4};
}

void PromptEdit::fitHeight()
{
    const int height = sizeHint().height();
    if (height != minimumHeight()) {
        setFixedHeight(height);
        updateGeometry();
    }
    setVerticalScrollBarPolicy(document()->blockCount() > 1 || height > 30 ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
}

void PromptEdit::resizeEvent(QResizeEvent *event)
{
    QPlainTextEdit::resizeEvent(event);
    fitHeight();
}

void PromptEdit::keyPressEvent(QKeyEvent *event)
{
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && !event->modifiers().testFlag(Qt::ShiftModifier)) {
        Q_EMIT submitted();
        return;
    }
    if (enter) {
        // A line break of its own, not the soft one that Qt would insert.
        textCursor().insertBlock();
        ensureCursorVisible();
        return;
    }
    if (event->key() == Qt::Key_Escape) {
        Q_EMIT escapePressed();
        return;
    }
    QPlainTextEdit::keyPressEvent(event);
}

} // namespace foundry::views
