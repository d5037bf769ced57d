// A plain text field that keeps very long text aside: laying out a line of 200 KB takes Qt seconds at each key. What is
// long stands in the field as one short mark, "[Pasted text 1: 200 KiB]", and is there again in toPlainText(). Deleting the
// mark deletes the text. GUI thread.
#pragma once

#include <QHash>
#include <QPlainTextEdit>

namespace foundry::views {

class LongTextEdit : public QPlainTextEdit {
    Q_OBJECT
public:
    static constexpr int longestLine = 4096;    // UTF-16 units; longer lines are kept aside
    static constexpr int longestText = 64 * 1024; // of one paste or one whole text

    using QPlainTextEdit::QPlainTextEdit;

    // These stand for those of QPlainTextEdit, which are not virtual: hold the field by this type.
    QString toPlainText() const;
    void setPlainText(const QString &text);

protected:
    void insertFromMimeData(const QMimeData *source) override;

private:
    QString folded(const QString &text);
    QString keepAside(const QString &text, const QString &around);

    QHash<QString, QString> m_aside; // mark → text
};

} // namespace foundry::views
