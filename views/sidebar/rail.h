// What stands in for the hidden sidebar: a narrow strip with the ways back, to a new task and to the board. GUI thread.
#pragma once

#include "views/common/controls.h"

namespace foundry::views {

class Rail : public QWidget {
    Q_OBJECT
public:
    explicit Rail(ThemeProvider *theme, QWidget *parent = nullptr);

Q_SIGNALS:
    void sidebarRequested();
    void newTaskRequested();
    void dashboardRequested();

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    ThemeProvider *m_theme;
};

} // namespace foundry::views
