#include "views/common/longtextedit.h"

#include <QLocale>
#include <QMimeData>

namespace foundry::views {

QString LongTextEdit::toPlainText() const
{
    QString shown = QPlainTextEdit::toPlainText();
    if (m_aside.isEmpty())
        return shown;
    // One pass: what was kept aside may itself look like a mark.
    QString whole;
    qsizetype from = 0;
    while (true) {
        qsizetype next = -1;
        auto found = m_aside.constEnd();
        for (auto it = m_aside.constBegin(); it != m_aside.constEnd(); ++it) {
            const qsizetype at = shown.indexOf(it.key(), from);
            if (at >= 0 && (next < 0 || at < next)) {
                next = at;
                found = it;
            }
        }
        if (next < 0)
            return whole + shown.mid(from);
        whole += shown.mid(from, next - from) + found.value();
        from = next + found.key().size();
    }
}

void LongTextEdit::setPlainText(const QString &text)
{
    m_aside.clear();
    QPlainTextEdit::setPlainText(folded(text));
}

void LongTextEdit::insertFromMimeData(const QMimeData *source)
{
    if (source->hasText()) {
        insertPlainText(folded(source->text()));
        ensureCursorVisible();
    }
}

QString LongTextEdit::folded(const QString &text)
{
    if (text.size() > longestText)
        return keepAside(text, text);
    QString result;
    qsizetype from = 0;
    while (from <= text.size()) {
        qsizetype end = text.indexOf(QLatin1Char('\n'), from);
        if (end < 0)
            end = text.size();
        const QString line = text.mid(from, end - from);
        result += line.size() > longestLine ? keepAside(line, text) : line;
        if (end < text.size())
            result += QLatin1Char('\n');
        from = end + 1;
    }
    return result;
}

QString LongTextEdit::keepAside(const QString &text, const QString &around)
{
    const QString size = QLocale().formattedDataSize(text.toUtf8().size(), 0);
    const QString shown = QPlainTextEdit::toPlainText();
    QString mark;
    // A mark that stands in the text already, as text, is none.
    for (qsizetype number = m_aside.size() + 1; mark.isEmpty(); ++number) {
        mark = tr("[Pasted text %1: %2]").arg(number).arg(size);
        if (m_aside.contains(mark) || around.contains(mark) || shown.contains(mark))
            mark.clear();
    }
    m_aside.insert(mark, text);
    return mark;
}

} // namespace foundry::views
