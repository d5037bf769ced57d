// The strip above the centre: says when the link to the host is not well, or that something failed, with the cause, what
// to do, and the host's log on demand. Hidden while there is nothing to say.
#pragma once

#include "models/types/linkstate.h"
#include "views/common/controls.h"

class QPlainTextEdit;
class QTimer;

namespace foundry::views {

class MinuteClock;

class LinkBanner : public QWidget {
    Q_OBJECT
public:
    LinkBanner(ThemeProvider *theme, MinuteClock *clock, QWidget *parent = nullptr);

    void setLinkState(const LinkState &state);
    void showError(const Error &error);

Q_SIGNALS:
    void retryRequested();
    // Once a second while a wait is counted down.
    void counted();

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    void refresh();
    void toggleDetail();

    ThemeProvider *m_theme;
    MinuteClock *m_clock;
    LinkState m_link;
    std::optional<Error> m_error;
    IconLabel *m_icon;
    Label *m_title;
    Label *m_text;
    Button *m_retry;
    Button *m_more;
    IconButton *m_dismiss;
    QPlainTextEdit *m_detail;
    QTimer *m_countdown; // runs only while a wait is counted down on screen
};

} // namespace foundry::views
