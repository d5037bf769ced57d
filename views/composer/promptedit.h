// The text field of the composer: grows with its text up to ten lines, then scrolls. Enter submits, Shift+Enter breaks.
// GUI thread.
#pragma once

#include "views/common/longtextedit.h"

namespace foundry::views {

class ThemeProvider;

class PromptEdit : public LongTextEdit {
    Q_OBJECT
public:
    explicit PromptEdit(ThemeProvider *theme, QWidget *parent = nullptr);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }
    static constexpr int mostLines = 10;

Q_SIGNALS:
    void submitted();
    void escapePressed();

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void fitHeight();

    ThemeProvider *m_theme;
};

} // namespace foundry::views
