// What the tour does, step by step.
#include "app/tour/tour.h"

#include "app/application.h"
#include "app/tour/touruser.h"
#include "views/common/controls.h"
#include "views/common/promptbox.h"
#include "views/composer/composer.h"
#include "views/composer/promptedit.h"
#include "views/dashboard/dashboard.h"
#include "views/dashboard/firststart.h"
#include "views/diff/changespanel.h"
#include "views/diff/diffcanvas.h"
#include "views/diff/diffview.h"
#include "views/sidebar/sidebar.h"
#include "views/task/newtasksheet.h"
#include "views/task/taskpage.h"
#include "views/transcript/transcriptview.h"

#include <QLineEdit>
#include <QListView>
#include <QMenu>

namespace foundry::app {

namespace {

Error tourNothing(const QString &what)
{
    return makeError(QLatin1StringView("client"), QLatin1StringView("tour_widget"), Tour::tr("There is no %1 on screen.").arg(what));
}

QString tourFirstPrompt()
{
    return QStringLiteral(
        "/write NOTES.md\n# Harbour notes\n\n"
        "Ships come and go; a harbour that is **full** says so.\n\n"
        "- berths are counted, not named\n- nobody waits at sea\n\n"
        "/find arrive\n/replace \"berths: int = 4\" \"berths: int = 8\" src/*.py\n/run git diff --stat");
}

// The field of the sheet; the first start has one too.
views::PromptBox *tourPrompt(QWidget &window)
{
    auto *sheet = touruser::find<views::NewTaskSheet>(&window);
    return sheet ? sheet->findChild<views::PromptBox *>() : nullptr;
}

} // namespace

void Tour::addFirstTask()
{
    auto &window = m_application.window();
    auto &workspace = m_application.workspace();
    add(QStringLiteral("first-start"), {}, [this, &window] {
        return m_application.link().state().phase == LinkPhase::Live && m_application.workspace().tasks().isReady()
            && m_application.workspace().agents().count() > 0 && window.dashboard()->isVisible();
    }, true);
    add(QStringLiteral("sample-repository"),
        [this]() -> Result<> {
            if (!m_config.tourRepository.isEmpty()) {
                m_made = true;
                return Unit{};
            }
            const LoopWatchdog::Excluded excluded(m_application.watchdog()); // not the window's files
            m_maker.make(m_repository, this, [this](const Result<> &made) {
                m_made = made.ok();
                if (!made)
                    finish(made.error());
            });
            return Unit{};
        },
        [this] { return m_made; });
    add(QStringLiteral("add-repository"),
        [this, &window]() -> Result<> {
            auto *start = touruser::find<views::FirstStart>(&window);
            auto *address = start ? start->findChild<QLineEdit *>() : nullptr;
            if (!address)
                return tourNothing(Tour::tr("field for a repository"));
            touruser::type(address, m_repository, Qt::Key_Return);
            return Unit{};
        },
        [&workspace] {
            return workspace.repositories().count() > 0 && workspace.repositories().at(0).state == RepositoryState::Ready;
        },
        true, std::chrono::seconds(120));
    if (!m_config.tourAgent.isEmpty()) {
        add(QStringLiteral("confirm-agent"),
            [this, &window]() -> Result<> {
                Q_EMIT window.confirmAgentRequested(AgentId(m_config.tourAgent)); // as the sheet that asks would
                return Unit{};
            },
            [this, &workspace] {
                const Agent *agent = workspace.agents().find(AgentId(m_config.tourAgent));
                return agent && agent->state == AgentState::Ready;
            },
            false, std::chrono::seconds(60));
    }
    add(QStringLiteral("new-task-sheet"),
        [&window]() -> Result<> {
            for (auto *button : window.sidebar()->findChildren<views::Button *>()) {
                if (button->text() == views::Sidebar::tr("New task")) {
                    touruser::click(button);
                    return Unit{};
                }
            }
            return tourNothing(Tour::tr("button for a new task"));
        },
        [&window] { return touruser::find<views::NewTaskSheet>(&window) != nullptr; });
    add(QStringLiteral("prompt"),
        [this]() -> Result<> {
            if (m_config.tourAgent.isEmpty())
                return writeTask(tourFirstPrompt());
            return writeTask(QStringLiteral("Write a file NOTES.md with two sentences about what this repository does."));
        },
        [this, &window] {
            const auto *box = tourPrompt(window);
            return box && box->toPlainText().size() >= m_promptSize;
        },
        true);
    add(QStringLiteral("task-page"),
        [&window]() -> Result<> {
            touruser::press(tourPrompt(window), Qt::Key_Return, Qt::ControlModifier);
            return Unit{};
        },
        // The picture at once: provisioning a small repository takes but a moment.
        [this] { return m_sameFrame; }, true, std::chrono::seconds(5), std::chrono::milliseconds(0));
    const auto agentTime = std::chrono::seconds(m_config.tourAgent.isEmpty() ? 60 : 300);
    add(QStringLiteral("permission"), {},
        [this] {
            m_firstTask = page()->taskId();
            m_firstSession = page()->activeSession();
            return asks();
        },
        true, agentTime);
    add(QStringLiteral("allow"), [this] { return answer(true); },
        [this] { return wasAnswered(m_answered); }, false, agentTime);
    // The second change of the prompt asks again; a real agent may ask any number of times.
    add(QStringLiteral("turn"), {},
        [this] {
            if (asks() && wasAnswered(m_answered))
                answer(true);
            return turnEnded();
        },
        true, agentTime);
}

void Tour::addReview()
{
    auto &window = m_application.window();
    add(QStringLiteral("changes"), {}, [&window] {
        auto *panel = touruser::find<views::ChangesPanel>(&window);
        return panel && panel->list()->model() && panel->list()->model()->rowCount() > 0;
    });
    add(QStringLiteral("diff"),
        [&window]() -> Result<> {
            auto *panel = touruser::find<views::ChangesPanel>(&window);
            if (!panel)
                return tourNothing(Tour::tr("list of changes"));
            QListView *list = panel->list();
            const QModelIndex last = list->model()->index(list->model()->rowCount() - 1, 0);
            list->setCurrentIndex(last);
            touruser::press(list, Qt::Key_Return);
            return Unit{};
        },
        [&window] {
            const auto *diff = touruser::find<views::DiffView>(&window);
            return diff && diff->canvas()->isVisible();
        },
        true);
}

void Tour::addSecondSession()
{
    auto &window = m_application.window();
    add(QStringLiteral("second-session"),
        [&window]() -> Result<> {
            auto *button = touruser::find<views::IconButton>(&window, Tour::tr("New session"));
            if (!button)
                return tourNothing(Tour::tr("button for a new session"));
            touruser::click(button);
            return Unit{};
        },
        [this, &window] {
            // With more than one agent the button asks which: the built-in runner, because it does what the next step says.
            if (auto *menu = touruser::find<QMenu>(&window)) {
                const Agent *runner = m_application.workspace().agents().find(AgentId(QStringLiteral("runner")));
                for (QAction *action : menu->actions()) {
                    touruser::press(menu, Qt::Key_Down);
                    if (runner && menu->activeAction() && menu->activeAction()->text().contains(runner->name))
                        break;
                    Q_UNUSED(action);
                }
                touruser::press(menu, Qt::Key_Return);
                return false;
            }
            const Session *shown = session();
            return shown && shown->id != m_firstSession
                && (shown->status == SessionStatus::Ready || shown->status == SessionStatus::Idle);
        });
    add(QStringLiteral("long-command"),
        [&window]() -> Result<> {
            auto *composer = touruser::find<views::Composer>(&window);
            if (!composer)
                return tourNothing(Tour::tr("composer"));
            touruser::type(composer->edit(), QStringLiteral("/run sleep 120"), Qt::Key_Return);
            return Unit{};
        },
        [this] { return asks(); }, false, std::chrono::seconds(60));
    add(QStringLiteral("running"), [this] { return answer(true); },
        [this] { return wasAnswered(m_answered) && session() && session()->status == SessionStatus::Running; }, true);
}

void Tour::addSecondTask()
{
    auto &window = m_application.window();
    auto &workspace = m_application.workspace();
    add(QStringLiteral("second-task"),
        [&window]() -> Result<> {
            window.openNewTask(); // as Ctrl+N does
            return Unit{};
        },
        [&window] { return touruser::find<views::NewTaskSheet>(&window) != nullptr; });
    add(QStringLiteral("second-prompt"), [this] { return writeTask(QStringLiteral("/find berths")); }, [&window] {
        const auto *box = tourPrompt(window);
        return box && box->toPlainText() == QStringLiteral("/find berths");
    });
    add(QStringLiteral("in-parallel"),
        [this, &window]() -> Result<> {
            m_sameFrame = false;
            touruser::press(tourPrompt(window), Qt::Key_Return, Qt::ControlModifier);
            return Unit{};
        },
        [this, &workspace] {
            if (asks()) // a model may want to do more than the runner does
                answer(true);
            const TaskRow *first = workspace.tasks().find(m_firstTask);
            return m_sameFrame && page()->taskId() != m_firstTask && turnEnded() && first && first->task.status == TaskStatus::Running;
        },
        false, std::chrono::seconds(m_config.tourAgent.isEmpty() ? 60 : 300));
    add(QStringLiteral("dashboard"),
        [&window]() -> Result<> {
            window.showDashboard();
            return Unit{};
        },
        [&window] { return window.dashboard()->isVisible() && window.currentTask().isEmpty(); }, true);
    add(QStringLiteral("back"),
        [this, &window]() -> Result<> {
            window.openTask(m_firstTask);
            return Unit{};
        },
        [this] { return page()->isVisible() && page()->taskId() == m_firstTask && session() && session()->status == SessionStatus::Running; });
    add(QStringLiteral("cancel"),
        [&window]() -> Result<> {
            auto *composer = touruser::find<views::Composer>(&window);
            if (!composer)
                return tourNothing(Tour::tr("composer"));
            touruser::press(composer->edit(), Qt::Key_Escape);
            return Unit{};
        },
        [this] { return turnEnded(QStringLiteral("cancelled")); }, true);
}

void Tour::addThemes()
{
    auto &window = m_application.window();
    add(QStringLiteral("light-task"),
        [this, &window]() -> Result<> {
            Q_EMIT window.themeChoiceChanged(ThemeChoice::Light); // as the settings would
            page()->activateSession(m_firstSession);
            return Unit{};
        },
        [this] { return !m_application.theme().theme().isDark() && turnEnded(); }, true);
    add(QStringLiteral("light-dashboard"),
        [&window]() -> Result<> {
            window.showDashboard();
            return Unit{};
        },
        [&window] { return window.dashboard()->isVisible(); }, true);
}

} // namespace foundry::app
