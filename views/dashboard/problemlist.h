// What is wrong with repositories and agents, said in full below their chips: cause, and what to do. Nothing is shown when
// nothing is wrong. GUI thread.
#pragma once

#include "models/types/organization.h"
#include "views/common/controls.h"

#include <QList>
#include <functional>

class QVBoxLayout;

namespace foundry {
class AgentListModel;
class ListModelBase;
class RepositoryListModel;
}

namespace foundry::views {

struct Problem {
    QString cause;
    QString action;
    bool error = true; // else a note about something that works all the same
    friend bool operator==(const Problem &, const Problem &) = default;
};

// Of repositories that cannot be used; with `notes` also what people should know about those that can.
QList<Problem> repositoryProblems(const RepositoryListModel &repositories, bool notes);
// Of agents that are there and do not work.
QList<Problem> agentProblems(const AgentListModel &agents);

class ProblemList : public QWidget {
    Q_OBJECT
public:
    // Asks `source` anew when `model` changes; the model must outlive the list.
    ProblemList(ThemeProvider *theme, const ListModelBase *model, std::function<QList<Problem>()> source,
        QWidget *parent = nullptr);

private:
    void refresh();

    ThemeProvider *m_theme;
    std::function<QList<Problem>()> m_source;
    QList<Problem> m_shown;
    QVBoxLayout *m_lines;
};

} // namespace foundry::views
