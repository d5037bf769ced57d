// A field for a whole prompt: Enter breaks the line, Ctrl+Enter submits. What is larger than a prompt may be is not put
// in, and said, so that a paste of megabytes never freezes the window. GUI thread.
#pragma once

#include "views/common/longtextedit.h"

namespace foundry::views {

class ThemeProvider;

class PromptBox : public LongTextEdit {
    Q_OBJECT
public:
    PromptBox(ThemeProvider *theme, const QString &placeholder, QWidget *parent = nullptr);

    QString prompt() const { return toPlainText(); }

    // What is wrong with a prompt, as a sentence; empty when nothing is.
    static QString complaintAbout(const QString &prompt);
    static QString tooLargeSentence(qint64 bytes);

Q_SIGNALS:
    void submitted();
    void tooLarge(qint64 bytes);

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void insertFromMimeData(const QMimeData *source) override;
};

} // namespace foundry::views
