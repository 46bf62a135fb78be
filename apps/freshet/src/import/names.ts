import type { Target } from './mapping.ts'

/** What follows the word for a thing in the name of a column that holds its id; the earlier ones win. */
const idEndings = ['id', 'uuid', 'guid', 'key', 'code', 'no', 'nr', 'number', 'hash']

/** `itemid`, `movieid`, …, `itemuuid`, … */
function idNames(things: readonly string[]): readonly string[] {
  const names = idEndings.flatMap((ending) => things.map((thing) => thing + ending))
  return names.filter((name) => name !== 'postcode')
}

/** Words that are the id of a user or of a pin by themselves come last: such a column may also hold a flag, a name or a text. */
const users = ['user', 'visitor', 'customer', 'member', 'account', 'reviewer', 'profile', 'client', 'shopper', 'buyer']
const moreUsers = ['reader', 'viewer', 'listener', 'subscriber', 'consumer', 'person', 'player', 'patron', 'guest']
const otherUsers = ['learner', 'student', 'cust', 'usr', 'household', 'fullvisitor', 'anonymous', 'distinct', 'cookie']
const plainUsers = ['visitor', 'customer', 'shopper', 'buyer', 'reader', 'viewer', 'listener', 'reviewer', 'person']
const exactUsers = ['uid', 'msno', 'userpseudoid', ...plainUsers, 'learner', 'student', 'patron', 'deviceid']
const userNames = ['userid', 'user', ...idNames([...users, ...moreUsers, ...otherUsers]), ...exactUsers]

const firstPins = [
  'pinid',
  'pin',
  'itemid',
  'item',
  'movieid',
  'productid',
  'articleid',
  'contentid',
  'postid',
  'bookid',
]
const pins = ['pin', 'item', 'movie', 'product', 'article', 'content', 'post', 'book', 'track', 'song', 'video', 'news']
const morePins = ['recipe', 'listing', 'sku', 'asin', 'isbn', 'film', 'episode', 'podcast', 'game', 'business', 'venue']
const otherPins = [
  'restaurant',
  'hotel',
  'poi',
  'course',
  'offer',
  'photo',
  'asset',
  'document',
  'doc',
  'story',
  'stock',
]
const lastPins = ['anime', 'joke', 'clip', 'dish', 'artwork', 'entity', 'object', 'prod', 'ean', 'upc', 'gtin']
const exactPins = ['sku', 'asin', 'isbn', 'ean', 'upc', 'gtin', 'pid', 'iid', 'nid', 'movie', 'product', 'article']
const plainPins = [
  'book',
  'track',
  'song',
  'video',
  'recipe',
  'listing',
  'film',
  'episode',
  'podcast',
  'game',
  'course',
]
const pinNames = [...idNames([...pins, ...morePins, ...otherPins, ...lastPins]), ...exactPins, ...plainPins]

const times = ['occurredat', 'timestamp', 'time', 'ts', 'eventtime', 'datetime', 'date', 'createdat', 'at', 'when']
const verbs = ['rated', 'clicked', 'viewed', 'purchased', 'ordered', 'watched', 'read', 'played', 'listened', 'saved']
const dated = ['event', 'purchase', 'order', 'invoice', 'review', 'click', 'view', 'visit', 'transaction', 'created']
const moreTimes = [
  'unixreviewtime',
  'timestampms',
  'timestamputc',
  'unixtime',
  'unixtimestamp',
  'epoch',
  'tstamp',
  'tdat',
]
const lastTimes = ['createdon', 'createtime', 'utctime', 'datetimeutc', 'servertime', 'dt', 'day']

/** Column names that mean a field, in lower case without spaces, hyphens and underscores. The earliest name in a list wins. */
export const namesOf: Readonly<Record<Target, Readonly<Record<string, readonly string[]>>>> = {
  engagements: {
    eventId: ['eventid', 'eventuuid'],
    userId: userNames,
    sessionId: ['sessionid', 'session', 'visitid', 'sessid', 'sessionkey', 'sessionhash'],
    action: [
      'action',
      'event',
      'eventtype',
      'eventname',
      'behavior',
      'behaviour',
      'behaviortype',
      'interaction',
    ].concat([
      ...['interactiontype', 'eventaction', 'actiontype', 'activity', 'activitytype', 'useraction', 'operation'],
    ]),
    pinId: [...firstPins, ...pinNames],
    boardId: ['boardid', 'board', 'playlistid', 'collectionid', 'listid'],
    creatorId: ['creatorid'],
    topicId: ['topicid'],
    occurredAt: [
      ...[...times, ...verbs.flatMap((verb) => [`${verb}at`, `${verb}on`])],
      ...dated.flatMap((what) => [`${what}date`, `${what}time`, `${what}timestamp`, `${what}ts`, `${what}datetime`]),
      ...[...moreTimes, ...lastTimes],
    ],
    feedId: ['feedid'],
    position: ['position', 'rank'],
    surface: ['surface'],
    dwellMs: ['dwellms'],
    rating: ['rating', 'stars', 'score', 'overall', 'ratingvalue', 'reviewscore', 'userrating', 'bookrating'].concat([
      ...['starrating', 'ratingscore', 'reviewrating', 'grade', 'myrating'],
    ]),
  },
  pins: {
    pinId: [...firstPins, 'id', ...pinNames],
    title: ['title', 'name', 'headline', 'productname', 'itemname', 'producttitle', 'booktitle', 'movietitle'],
    description: ['description', 'summary', 'abstract', 'text', 'body', 'desc', 'productdescription', 'detaildesc'],
    topics: ['topics', 'genres', 'genre', 'categories', 'category', 'topic', 'tags', 'department'],
    creatorId: [
      ...[
        'creatorid',
        'creator',
        'author',
        'authorid',
        'artist',
        'artistid',
        'brand',
        'director',
        'seller',
        'sellerid',
      ],
      ...['bookauthor', 'vendor', 'publisher', 'channel', 'channelid'],
    ],
    createdAt: ['createdat', 'publishedat', 'created', 'published', 'releasedate', 'date', 'timestamp', 'year'].concat([
      ...['publishdate', 'publicationdate', 'pubdate', 'yearofpublication', 'releaseyear'],
    ]),
    locale: ['locale', 'language', 'lang'],
    imageUrl: ['imageurl', 'image', 'imgurl', 'poster', 'posterurl', 'thumbnail', 'picture', 'imageurll'],
    visualEmbedding: ['visualembedding', 'embedding', 'vector'],
    availableFrom: ['availablefrom', 'validfrom', 'startsat'],
    expiresAt: ['expiresat', 'expires', 'validuntil', 'endsat'],
    safetyLabels: ['safetylabels', 'contentlabels'],
    minAge: ['minage', 'minimumage', 'agelimit'],
    imageSignature: ['imagesignature', 'imagehash', 'phash'],
    deleted: ['deleted', 'isdeleted', 'removed'],
  },
}

/** A name without its case, spaces, hyphens, points and underscores. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]/g, '')
}
