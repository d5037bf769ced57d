#include "views/dashboard/problemlist.h"

#include "models/agentlistmodel.h"
#include "models/repositorylistmodel.h"
#include "views/dashboard/agentways.h"

#include <QBoxLayout>

namespace foundry::views {

namespace {

constexpr qsizetype problemsShown = 3;

} // namespace

QList<Problem> repositoryProblems(const RepositoryListModel &repositories, bool notes)
{
    QList<Problem> found;
    for (int row = 0; row < repositories.count(); ++row) {
        const Repository &repository = repositories.at(row);
        if (repository.state.is(RepositoryState::Error)) {
            found.append(repository.error ? Problem{ProblemList::tr("%1: %2").arg(repository.name, repository.error->message), repository.error->action}
                                          : Problem{ProblemList::tr("%1 cannot be used.").arg(repository.name), ProblemList::tr("Remove it and add it again.")});
        } else if (notes && repository.state.is(RepositoryState::Ready) && repository.progressText) {
            found.append({ProblemList::tr("%1: %2").arg(repository.name, *repository.progressText), {}, false});
        }
    }
    return found;
}

QList<Problem> agentProblems(const AgentListModel &agents)
{
    QList<Problem> found;
    for (int row = 0; row < agents.count(); ++row) {
        const Agent &agent = agents.at(row);
        if (agent.state.is(AgentState::Broken) || agent.state.is(AgentState::NeedsLogin))
            found.append({agentSentence(agent), {}, agent.state.is(AgentState::Broken)});
    }
    found.removeIf([](const Problem &problem) { return problem.cause.isEmpty(); });
    return found;
}

ProblemList::ProblemList(ThemeProvider *theme, const ListModelBase *model, std::function<QList<Problem>()> source, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_source(std::move(source))
    , m_lines(new QVBoxLayout(this))
{
    m_lines->setContentsMargins(0, 2, 0, 2);
    m_lines->setSpacing(6);
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(model, signal, this, &ProblemList::refresh);
    connect(model, &QAbstractItemModel::modelReset, this, &ProblemList::refresh);
    connect(model, &QAbstractItemModel::dataChanged, this, &ProblemList::refresh);
    refresh();
    setVisible(!m_shown.isEmpty());
}

void ProblemList::refresh()
{
    const QList<Problem> problems = m_source();
    if (problems == m_shown)
        return;
    m_shown = problems;
    while (QLayoutItem *item = m_lines->takeAt(0)) {
        if (QWidget *line = item->widget()) {
            line->hide();
            line->deleteLater();
        }
        delete item;
    }
    const auto label = [this](const QString &text, ColorToken color) {
        auto *made = new Label(m_theme, TextStyle::Small, color, text);
        made->setWordWrap(true);
        made->setTextInteractionFlags(Qt::TextSelectableByMouse); // there may be a command to copy
        return made;
    };
    for (const Problem &problem : problems.first(qMin(problems.size(), problemsShown))) {
        auto *line = new QWidget;
        auto *row = new QHBoxLayout(line);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(Space::s);
        row->addWidget(new IconLabel(m_theme, problem.error ? Icon::CircleAlert : Icon::Info,
                           problem.error ? &Colors::red : &Colors::textMuted),
            0, Qt::AlignTop);
        auto *words = new QVBoxLayout;
        words->setSpacing(0);
        words->addWidget(label(problem.cause, problem.error ? &Colors::text : &Colors::textMuted));
        if (!problem.action.isEmpty())
            words->addWidget(label(problem.action, &Colors::textMuted));
        row->addLayout(words, 1);
        m_lines->addWidget(line);
    }
    if (problems.size() > problemsShown)
        m_lines->addWidget(label(tr("and %n more", nullptr, int(problems.size() - problemsShown)), &Colors::textFaint));
    setVisible(!problems.isEmpty());
}

} // namespace foundry::views
