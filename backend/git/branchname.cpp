#include "backend/git/branchname.h"

#include <QCryptographicHash>
#include <QList>

#include <algorithm>

namespace foundry::backend {

namespace {

constexpr qsizetype branchSlugLength = 48;
constexpr qsizetype branchNameBytes = 200;

// Letters that no Unicode decomposition takes apart.
QLatin1StringView branchLetter(QChar letter)
{
    switch (letter.unicode()) {
    case 0xdf:
        return QLatin1StringView("ss");
    case 0xe6:
        return QLatin1StringView("ae");
    case 0x153:
        return QLatin1StringView("oe");
    case 0xf8:
        return QLatin1StringView("o");
    case 0x142:
        return QLatin1StringView("l");
    case 0x111:
    case 0xf0:
        return QLatin1StringView("d");
    case 0xfe:
        return QLatin1StringView("th");
    case 0x131:
        return QLatin1StringView("i");
    default:
        return {};
    }
}

// 30 bits of the id's hash: ids are ordered in time, so their own characters are too much alike.
QString branchSuffix(const QString &taskId)
{
    static constexpr char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    const QByteArray hash = QCryptographicHash::hash(taskId.toUtf8(), QCryptographicHash::Sha1);
    QString suffix;
    for (int i = 0; i < 6; ++i)
        suffix += QLatin1Char(digits[static_cast<unsigned char>(hash[i]) & 31]);
    return suffix;
}

} // namespace

QString slugForBranch(const QString &title, const QString &taskId)
{
    // Long titles are cut before they are taken apart: a slug needs no more.
    const QString plain = title.left(400).normalized(QString::NormalizationForm_KD).toLower();
    QString slug;
    bool gap = false;
    for (const QChar c : plain) {
        QString piece;
        if ((c >= QLatin1Char('a') && c <= QLatin1Char('z')) || (c >= QLatin1Char('0') && c <= QLatin1Char('9')))
            piece = c;
        else if (c.category() == QChar::Mark_NonSpacing || c == QLatin1Char('\'') || c == QChar(0x2019))
            continue; // an accent, or the apostrophe of "don't"
        else
            piece = branchLetter(c);
        if (piece.isEmpty()) {
            gap = !slug.isEmpty();
            continue;
        }
        if (gap)
            slug += QLatin1Char('-');
        gap = false;
        slug += piece;
    }
    if (slug.size() > branchSlugLength) {
        const qsizetype word = slug.lastIndexOf(QLatin1Char('-'), branchSlugLength);
        slug.truncate(word > branchSlugLength / 2 ? word : branchSlugLength);
    }
    while (slug.endsWith(QLatin1Char('-')))
        slug.chop(1);
    if (slug.isEmpty())
        slug = QStringLiteral("task");
    return slug + QLatin1Char('-') + branchSuffix(taskId);
}

bool isValidBranchName(const QString &name)
{
    if (name.isEmpty() || name.toUtf8().size() > branchNameBytes || name == QLatin1StringView("HEAD")
        || name == QLatin1StringView("@") || name.startsWith(QLatin1Char('-')) || name.endsWith(QLatin1Char('.'))
        || name.contains(QLatin1StringView("..")) || name.contains(QLatin1StringView("@{")))
        return false;
    static constexpr QLatin1StringView forbidden(" ~^:?*[\\");
    const bool allowed = std::all_of(name.begin(), name.end(),
        [](QChar c) { return c.unicode() >= 0x20 && c.unicode() != 0x7f && !forbidden.contains(c); });
    if (!allowed)
        return false;
    const QList<QStringView> parts = QStringView(name).split(QLatin1Char('/'));
    return std::all_of(parts.begin(), parts.end(), [](QStringView part) {
        return !part.isEmpty() && !part.startsWith(QLatin1Char('.')) && !part.endsWith(QLatin1StringView(".lock"));
    });
}

} // namespace foundry::backend
