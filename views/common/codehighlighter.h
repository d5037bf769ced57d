// Colours for code, by KDE Syntax-Highlighting on a thread of its own: a grammar's first use costs up to 80 ms, which the
// GUI thread does not have. Asking returns at once with what is known; `ready` says when more is. GUI thread only.
#pragma once

#include <QHash>
#include <QObject>
#include <QTextLayout>
#include <QThread>

namespace foundry::views {

class CodeWorker;

class CodeHighlighter : public QObject {
    Q_OBJECT
public:
    explicit CodeHighlighter(QObject *parent = nullptr);
    ~CodeHighlighter() override;

    // Which of the two themes; a change forgets all colours.
    void setDark(bool dark);

    // Colours of `text` (lines parted by \n or QChar::LineSeparator). `language` is a language's name ("rust"), the word
    // after a fence ("ts") or a file's path. `slot` names the place where it is shown: while a text that grows there is
    // being coloured, the colours of its beginning are returned.
    QList<QTextLayout::FormatRange> formats(const QString &slot, const QString &language, const QString &text);

    // Forgets all slots that begin with the prefix: the place is gone.
    void forget(const QString &slotPrefix);

Q_SIGNALS:
    void ready(const QString &slot);

private:
    struct Place {
        QString language;
        QString shownText; // what `formats` belong to
        QList<QTextLayout::FormatRange> formats;
        QString wantedText;
        bool asked = false; // one request of a place is on its way at a time
        quint64 used = 0;
    };

    void ask(const QString &slot, Place &place);
    void answered(const QString &slot, int generation, const QString &text,
        const QList<QTextLayout::FormatRange> &formats);
    void trim();

    QHash<QString, Place> m_places;
    QThread m_thread;
    CodeWorker *m_worker = nullptr; // lives in m_thread; made with the first request
    int m_generation = 0;
    quint64 m_clock = 0;
    bool m_dark = true;
};

} // namespace foundry::views
