// With FOUNDRY_TRACE=1 the workbench says on stdout, one line of JSON each, when it got where: "first-paint", "dashboard"
// (painted with its tasks), "live", "task" (page painted with its details). For measurements from outside. GUI thread.
#pragma once

#include <QSet>
#include <QString>

namespace foundry::app {

class TraceMarks {
public:
    TraceMarks();
    bool isOn() const { return m_on; }
    // Once for each name.
    void mark(const QString &name);

private:
    bool m_on = false;
    QSet<QString> m_said;
};

} // namespace foundry::app
