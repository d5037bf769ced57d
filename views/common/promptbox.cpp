#include "views/common/promptbox.h"

#include "views/common/intents.h"
#include "views/common/themeprovider.h"

#include <QKeyEvent>
#include <QLocale>
#include <QMimeData>

namespace foundry::views {

PromptBox::PromptBox(ThemeProvider *theme, const QString &placeholder, QWidget *parent)
    : LongTextEdit(parent)
{
    setProperty("field", true);
    setPlaceholderText(placeholder);
    setTabChangesFocus(true);
    document()->setDocumentMargin(10);
    viewport()->setAutoFillBackground(false);
    const auto refresh = [this, theme] {
        setFont(theme->font(TextStyle::Reading));
        QPalette colors = theme->theme().palette();
        colors.setColor(QPalette::Base, Qt::transparent);
        setPalette(colors);
    };
    refresh();
    connect(theme, &ThemeProvider::changed, this, refresh);
}

QString PromptBox::complaintAbout(const QString &prompt)
{
    const qint64 bytes = prompt.toUtf8().size();
    return bytes > maxPromptBytes ? tooLargeSentence(bytes) : QString();
}

QString PromptBox::tooLargeSentence(qint64 bytes)
{
    return tr("This text has %1; a prompt may have %2. Put it into a file in the repository and name the file instead.")
        .arg(QLocale().formattedDataSize(bytes), QLocale().formattedDataSize(maxPromptBytes));
}

void PromptBox::keyPressEvent(QKeyEvent *event)
{
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && event->modifiers().testFlag(Qt::ControlModifier)) {
        Q_EMIT submitted();
        return;
    }
    QPlainTextEdit::keyPressEvent(event);
}

void PromptBox::insertFromMimeData(const QMimeData *source)
{
    if (source->hasText()) {
        const QString text = source->text();
        // Cheap first: a text of that many UTF-16 units cannot be smaller in UTF-8.
        const qint64 bytes = text.size() > maxPromptBytes ? text.size() : text.toUtf8().size();
        if (bytes > maxPromptBytes) {
            Q_EMIT tooLarge(bytes);
            return;
        }
    }
    LongTextEdit::insertFromMimeData(source);
}

} // namespace foundry::views
