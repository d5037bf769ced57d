#include "views/dashboard/addrepositorysheet.h"

#include <QBoxLayout>
#include <QCoreApplication>
#include <QDir>
#include <QFileDialog>
#include <QLineEdit>
#include <QRegularExpression>
#include <QUrl>

namespace foundry::views {

namespace {

QString repositoryText(const char *text)
{
    return QCoreApplication::translate("AddRepository", text);
}

} // namespace

std::variant<AddRepositoryRequest, QString> parseRepositoryAddress(const QString &typed)
{
    const QString text = typed.trimmed();
    if (text.isEmpty())
        return repositoryText(QT_TRANSLATE_NOOP("AddRepository", "Choose a folder, or paste a clone URL."));
    if (text.startsWith(QLatin1Char('-')))
        return repositoryText(QT_TRANSLATE_NOOP("AddRepository", "An address cannot begin with a dash."));
    AddRepositoryRequest request;
    if (text.startsWith(QLatin1Char('/')) || text == QLatin1StringView("~") || text.startsWith(QLatin1StringView("~/"))) {
        request.path = text.startsWith(QLatin1Char('~')) ? QDir::homePath() + text.mid(1) : text;
        request.path = QDir::cleanPath(*request.path);
        return request;
    }
    static const QRegularExpression scp(QStringLiteral("^[\\w.+-]+@[\\w.-]+:[^\\s]+$"));
    if (scp.match(text).hasMatch()) {
        request.url = text;
        return request;
    }
    const QUrl url(text, QUrl::StrictMode);
    static const QStringList schemes{QStringLiteral("https"), QStringLiteral("ssh"), QStringLiteral("file"),
        QStringLiteral("http"), QStringLiteral("git")};
    if (text.contains(QLatin1StringView("://")) && url.isValid() && schemes.contains(url.scheme())) {
        if (!url.password().isEmpty())
            return repositoryText(QT_TRANSLATE_NOOP("AddRepository",
                "This address holds a password. Leave it out: git asks its own credential helper."));
        if (url.scheme() != QLatin1StringView("file") && url.host().isEmpty())
            return repositoryText(QT_TRANSLATE_NOOP("AddRepository", "This address names no server."));
        request.url = text;
        return request;
    }
    return repositoryText(QT_TRANSLATE_NOOP("AddRepository",
        "This is neither a folder (it would begin with /) nor a clone URL (https://…, ssh://…, git@host:path, file://…)."));
}

void chooseFolder(QWidget *parent, const QString &start, const std::function<void(const QString &)> &chosen)
{
    // Qt's own dialog: a native one would run its own event loop on some desktops.
    auto *dialog = new QFileDialog(parent, QCoreApplication::translate("AddRepository", "Choose a repository's folder"), start);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowModality(Qt::WindowModal);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOptions(QFileDialog::DontUseNativeDialog | QFileDialog::ShowDirsOnly);
    QObject::connect(dialog, &QFileDialog::fileSelected, parent, chosen);
    dialog->open();
}

AddRepositorySheet::AddRepositorySheet(ThemeProvider *theme, const QString &blocked, QWidget *parent)
    : Sheet(theme, tr("Add repository"), 560, parent)
    , m_blocked(blocked)
    , m_address(new QLineEdit)
    , m_add(new Button(theme, tr("Add"), ButtonLook::Primary))
{
    m_address->setPlaceholderText(tr("/home/me/project   or   https://host/owner/project.git"));
    auto *row = new QWidget;
    auto *line = new QHBoxLayout(row);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(Space::s);
    line->addWidget(m_address, 1);
    auto *choose = new Button(theme, Icon::FolderOpen, tr("Choose folder…"));
    line->addWidget(choose);
    m_address->setAccessibleName(tr("Folder or clone URL"));
    addField(tr("Folder or clone URL"), row);
    row->setFocusProxy(m_address);
    auto *cancel = new Button(theme, tr("Cancel"));
    addButton(cancel);
    addButton(m_add);
    m_add->setDefault(true);
    setNote(tr("A folder is used where it is and never changed; a URL is cloned into the workbench's own data folder."));

    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_add, &QPushButton::clicked, this, &AddRepositorySheet::submit);
    connect(choose, &QPushButton::clicked, this, [this] {
        chooseFolder(this, QDir::homePath(), [this](const QString &folder) {
            m_address->setText(folder);
            submit();
        });
    });
    connect(m_address, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_add->setEnabled(!text.trimmed().isEmpty() && m_blocked.isEmpty());
    });
    m_add->setEnabled(false);
    if (!m_blocked.isEmpty())
        setNote(m_blocked);
    m_address->setFocus();
}

void AddRepositorySheet::submit()
{
    if (!m_blocked.isEmpty())
        return;
    const auto parsed = parseRepositoryAddress(m_address->text());
    if (const auto *complaint = std::get_if<QString>(&parsed)) {
        setNote(*complaint, &Colors::red);
        m_address->setFocus();
        return;
    }
    const AddRepositoryRequest request = std::get<AddRepositoryRequest>(parsed);
    accept();
    Q_EMIT requested(request);
}

} // namespace foundry::views
